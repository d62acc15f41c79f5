import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const LOCAL_ADDRESS = 1;
const INODE = 9;

/** Whether a process holds the TCP connection with this local port. Linux only. */
export function ownsPort(pid: number, port: number): boolean {
  const inode = inodeOf(port);
  return inode !== undefined && socketsOf(pid).has(inode);
}

function inodeOf(port: number): string | undefined {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1)) {
    const words = line.trim().split(/\s+/);
    if (words[LOCAL_ADDRESS]?.endsWith(`:${wanted}`) === true) return words[INODE];
  }
  return undefined;
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
