/** A site that makes the browser of its visitor send requests to another one. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export class OtherSite {
  private constructor(private readonly server: Server) {}

  /** Its one document posts `body`, a JSON object, to the target as a form does, when its button is pressed. */
  static async start(target: string, body: string): Promise<OtherSite> {
    // A form sends `name=value`: a further member takes the sign of equality in.
    const [name, value] = [`${body.slice(0, -1)},"more":"`, '"}'].map((text) =>
      text.replaceAll('"', '&quot;'),
    );
    const html = `<!doctype html><title>Another site</title>
      <form method="post" action="${target}" enctype="text/plain">
        <input type="hidden" name="${name}" value="${value}"><button>Win a prize</button>
      </form>`;
    const server = createServer((_, response) => {
      response.setHeader('content-type', 'text/html').end(html);
    });
    server.listen(0);
    await once(server, 'listening');
    return new OtherSite(server);
  }

  /** @param host `127.0.0.1`, which browsers count as the same site on all ports, or `localhost`. */
  urlOn(host: string): string {
    return `http://${host}:${(this.server.address() as AddressInfo).port}/`;
  }

  async stop(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }
}
