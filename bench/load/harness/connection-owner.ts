import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const LOCAL_ADDRESS = 1;
const REMOTE_ADDRESS = 2;
const INODE = 9;

/** Whether a process holds the TCP connection between these ports of this machine. Linux only. */
export function ownsConnection(pid: number, port: number, remotePort: number): boolean {
  const inode = inodeOf(port, remotePort);
  return inode !== undefined && socketsOf(pid).has(inode);
}

function inodeOf(port: number, remotePort: number): string | undefined {
  for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1)) {
    const words = line.trim().split(/\s+/);
    // A port may be in use towards several others.
    if (portOf(words[LOCAL_ADDRESS]) === port && portOf(words[REMOTE_ADDRESS]) === remotePort) {
      return words[INODE];
    }
  }
  return undefined;
}

/** Of an address as the kernel writes it, such as `0100007F:1538`. */
function portOf(address = ''): number {
  return Number.parseInt(address.split(':')[1] ?? '', 16);
}

function socketsOf(pid: number): ReadonlySet<string> {
  const folder = `/proc/${pid}/fd`;
  const inodes = readdirSync(folder).map((name) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`${folder}/${name}`))?.[1];
    } catch {
      return undefined;
    }
  });
  return new Set(inodes.filter((inode) => inode !== undefined));
}
