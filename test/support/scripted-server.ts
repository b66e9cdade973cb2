import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ScriptedRequest {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
  /** The client's port: the same for requests that share a connection. */
  clientPort: number | undefined;
}

export interface ScriptedServer {
  url: string;
  /** Everything that arrived, in order. */
  requests: ScriptedRequest[];
  /** What the next requests get; the last script stays. */
  answerWith(...scripts: Script[]): void;
  close(): Promise<void>;
}

/** Answers, or does something worse to, one request whose body has been read. */
export type Script = (response: ServerResponse, request: ScriptedRequest) => void;

/** An HTTP server on a free loopback port for answers that no well-behaved provider gives. */
export async function startScriptedServer(): Promise<ScriptedServer> {
  const requests: ScriptedRequest[] = [];
  let scripts: Script[] = [];
  const server = createServer((incoming, response) => {
    void textOf(incoming).then((body) => {
      const { method = '', url = '', headers } = incoming;
      const request = { method, url, headers, body, clientPort: incoming.socket.remotePort };
      requests.push(request);
      const script = scripts.length > 1 ? scripts.shift() : scripts[0];
      script?.(response, request);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    answerWith: (...next) => {
      scripts = next;
      requests.length = 0;
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

export const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Script =>
  (response) =>
    void response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(JSON.stringify(body));

export const html =
  (status: number): Script =>
  (response) =>
    void response.writeHead(status, { 'content-type': 'text/html' }).end('<html>bad gateway</html>');

/** The request arrived; its connection breaks without an answer. */
export const cutConnection: Script = (response) => void response.socket?.resetAndDestroy();

/** The answer breaks off in its middle. */
export const cutAnswer: Script = (response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
  response.write('{"id": "');
  setTimeout(() => response.socket?.destroy(), 20);
};

export const neverAnswer: Script = () => {};

/** Sends a byte now and then, so that no idle time-out ever strikes. */
export const dripAnswer: Script = (response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  const timer = setInterval(() => response.write(' '), 20);
  response.once('close', () => clearInterval(timer));
};

async function textOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
