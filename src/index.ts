export type { ConnectOptions, Lookup } from './connect-options.ts';
export { connect } from './connect.ts';
export { Connection, type ConnectionEvents, type OperationOptions, type ShutdownOptions } from './connection.ts';
export { Context, createContext } from './context.ts';
export type * from './context-options.ts';
export { LibsslAsyncError, TlsError } from './errors.ts';
export { type Metrics, type PauseTime, metrics } from './metrics.ts';
export type { Address, AsyncStatus, Cipher } from './peer.ts';
export {
  type DecryptRequest,
  RemoteKey,
  type RemoteKeyOptions,
  type SignRequest,
  createRemoteKey,
} from './remote-key.ts';
export { Server, type ServerEvents, createServer } from './server.ts';
export type { CloseOptions, ListenOptions, ServerOptions } from './server-options.ts';
export { type Versions, versions } from './versions.ts';
export { type Configuration, configure } from './configure.ts';
