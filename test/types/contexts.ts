import { type KeyObject, X509Certificate } from 'node:crypto';

import {
  type Connection,
  Context,
  type ContextOptions,
  type RemoteKey,
  type TlsError,
  createContext,
} from 'libssl-async';

declare const keyObject: KeyObject;
declare const remoteKey: RemoteKey;

const options: ContextOptions = {
  // An option may be given as undefined, also under exactOptionalPropertyTypes.
  passphrase: undefined,
  key: [keyObject, remoteKey, 'PEM', Buffer.alloc(1), { pem: 'PEM', passphrase: 'secret' }],
  cert: [new X509Certificate('PEM'), 'PEM'],
  pfx: { buf: Buffer.alloc(1), passphrase: undefined },
  ALPNProtocols: ['h2', Buffer.from('http/1.1')],
  minVersion: 'TLSv1.2',
};

const context = createContext(options) satisfies Context;

context.setAsyncCallback(
  (connection, arg) => {
    connection satisfies Connection;
    arg satisfies { count: number };
  },
  { count: 0 },
) satisfies Context;

declare const error: TlsError;
error.alert satisfies string | undefined;
error.code satisfies string;

// @ts-expect-error: no such option
createContext({ cetr: 'PEM' });

// @ts-expect-error: no such version
createContext({ minVersion: 'SSLv3' });

// @ts-expect-error: an archive is no text
createContext({ pfx: 'PEM' });

// @ts-expect-error: contexts are made by createContext()
export const made = new Context();
