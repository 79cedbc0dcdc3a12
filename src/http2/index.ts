import { constants, getDefaultSettings, getPackedSettings, getUnpackedSettings, sensitiveHeaders } from 'node:http2';

import { connect } from './connect.ts';
import { SecureServer, createSecureServer } from './server.ts';

export { constants, getDefaultSettings, getPackedSettings, getUnpackedSettings, sensitiveHeaders } from 'node:http2';
export { type Http2ConnectOptions, type SessionListener, connect } from './connect.ts';
export { type Http2RequestListener, SecureServer, type SecureServerOptions, createSecureServer } from './server.ts';

/**
 * As `import http2 from 'node:http2'` gives it.
 *
 * @hidden
 */
const http2 = {
  SecureServer,
  connect,
  constants,
  createSecureServer,
  getDefaultSettings,
  getPackedSettings,
  getUnpackedSettings,
  sensitiveHeaders,
};

export default http2;
