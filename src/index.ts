export type { ClientHello, ClientHelloAnswer, OnClientHello, SessionStore } from './client-hello.ts';
export type { ConnectOptions, Lookup } from './connect-options.ts';
export { connect } from './connect.ts';
export { Connection, type ConnectionEvents, type OperationOptions, type ShutdownOptions } from './connection.ts';
export { Context, createContext } from './context.ts';
export type * from './context-options.ts';
export type { HandshakeMessage, RequestMessage } from './diagnostics.ts';
export {
  Engine,
  type EngineCommand,
  type EngineCommandInfo,
  type EngineMethod,
  type EngineOptions,
  type EngineStats,
  loadEngine,
} from './engine.ts';
export { LibsslAsyncError, TlsError } from './errors.ts';
export { type Histogram, type KeyStats, type Metrics, metrics } from './metrics.ts';
export type { Address, AsyncStatus, Cipher } from './peer.ts';
export type { PreSharedKey, PskClientCallback, PskOptions, PskServerCallback } from './psk.ts';
export { Provider, type ProviderOptions, loadProvider } from './provider.ts';
export { RemoteKey, createRemoteKey } from './remote-key.ts';
export type { DecryptRequest, RemoteKeyOptions, SignRequest } from './remote-key-options.ts';
export { Server, type ServerEvents, createServer } from './server.ts';
export type { CloseOptions, CloseReport, ListenOptions, ServerOptions } from './server-options.ts';
export { StoredKey, type StoredKeyOptions, loadPrivateKey } from './stored-key.ts';
export type { Pin } from './loading.ts';
export type { Build } from './build.ts';
export { type ClaimOptions, type TransferOptions, claimConnection } from './transfer.ts';
export type { UnverifiedPeer, VerifyPeer } from './verify-peer.ts';
export { type Versions, versions } from './versions.ts';
export { type Configuration, configure } from './configure.ts';
