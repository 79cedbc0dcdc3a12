import { Agent } from './agent.ts';
import { get, globalAgent, request } from './request.ts';
import { Server, createServer } from './server.ts';

export { Agent, type AgentOptions } from './agent.ts';
export { type RequestOptions, type ResponseListener, get, globalAgent, request } from './request.ts';
export { Server, type ServerOptions, createServer } from './server.ts';

/**
 * As `import https from 'node:https'` gives it.
 *
 * @hidden
 */
const https = { Agent, Server, createServer, get, globalAgent, request };

export default https;
