import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/* An OTLP collector that only counts what it is sent; a process of its own, so that its CPU is not the product's. */
const received = { requests: 0, bytes: 0 };
const server = createServer((request, response) => {
  if (request.method === 'GET') return void response.end(JSON.stringify(received));
  received.requests += 1;
  request.on('data', (chunk: Buffer) => (received.bytes += chunk.length));
  return void request.on('end', () =>
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}'),
  );
});
server.listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
process.once('SIGTERM', () => process.exit(0));
