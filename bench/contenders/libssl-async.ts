import { type Connection, type RemoteKey, type ServerOptions, createContext, createServer } from 'libssl-async';

import { SETTINGS } from '../protocol.ts';

export async function listen(
  { key, cert }: { key: string | RemoteKey; cert: string },
  options: Omit<ServerOptions, 'context'> = {},
): Promise<number> {
  const server = createServer({ context: createContext({ key, cert, ...SETTINGS }), ...options });
  const { port } = (await server.listen({ host: '127.0.0.1' })) as { port: number };
  server.on('connection', (connection) => void echo(connection));
  return port;
}

/** What moves bulk data gets a buffer of its own, which is used again and again; what does not, needs none. */
async function echo(connection: Connection): Promise<void> {
  try {
    for (let chunk = await connection.read(); chunk !== null; chunk = await connection.read()) {
      await connection.write(chunk);
      if (chunk.length >= BULK) return await echoBulk(connection);
    }
    await connection.shutdown();
  } catch {
    connection.destroy();
  }
}

async function echoBulk(connection: Connection): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(128 * 1024);
  for (let count = await connection.read(buffer); count > 0; count = await connection.read(buffer)) {
    await connection.write(buffer.subarray(0, count));
  }
  await connection.shutdown();
}

const BULK = 16 * 1024;
