// An authority, a server, a client, and contexts that know them: what most tests need.

import { createContext } from 'libssl-async';

import { issue, issueAuthority } from './certificates.ts';

export const authority = issueAuthority();
export const serverIdentity = issue({ issuer: authority });
export const clientIdentity = issue({ issuer: authority, client: true, names: [], subject: 'client' });

/** A server's. */
export const serverContext = createContext({ key: serverIdentity.key, cert: serverIdentity.cert });
/** A client's, which trusts the authority. */
export const clientContext = createContext({ ca: authority.cert });
