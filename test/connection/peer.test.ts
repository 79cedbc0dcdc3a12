// What a connection says of itself and of its peer.

import { once } from 'node:events';
import * as tls from 'node:tls';

import test from 'ava';
import { createContext } from 'libssl-async';

import { issue, issueAuthority } from '../support/certificates.ts';
import { overDrivers } from '../support/drivers.ts';
import { authority, clientContext, clientIdentity, serverIdentity } from '../support/identities.ts';
import {
  HOST,
  accepted,
  dial,
  nodeClient,
  nodeServer,
  pair,
  serve,
  withNodeClient,
  withNodeServer,
} from '../support/peers.ts';

const { key, cert } = serverIdentity;
const stranger = issueAuthority({ subject: 'Another CA' });

overDrivers('a server knows what node:tls knows of the connection', async (t, recordIO) => {
  const context = createContext({ key, cert, ALPNProtocols: ['h2', 'http/1.1'] });
  const { connection, peer } = await withNodeClient(
    t,
    { recordIO, context },
    { servername: 'localhost', ALPNProtocols: ['http/1.1', 'h2'] },
  );
  t.is(connection.protocol, peer.getProtocol()!);
  t.deepEqual({ ...connection.cipher }, { ...peer.getCipher() });
  t.is(connection.alpnProtocol, 'h2');
  t.is(peer.alpnProtocol, 'h2');
  t.is(connection.servername, 'localhost');
  t.false(connection.sessionReused);
  t.deepEqual(connection.remoteAddress, { address: HOST, family: 'IPv4', port: peer.localPort! });
  t.deepEqual(connection.localAddress, { address: HOST, family: 'IPv4', port: peer.remotePort! });
  t.is(connection.peerCertificate, undefined);
  t.deepEqual(connection.peerCertificates, []);
  t.false(connection.authorized);
});

overDrivers('a client knows what node:tls knows of the connection', async (t, recordIO) => {
  const { connection, peer } = await withNodeServer(
    t,
    { recordIO, host: 'localhost', servername: 'localhost', ALPNProtocols: ['http/1.1'] },
    { ALPNProtocols: ['h2', 'http/1.1'] },
  );
  t.is(connection.protocol, peer.getProtocol()!);
  t.deepEqual({ ...connection.cipher }, { ...peer.getCipher() });
  t.is(connection.alpnProtocol, 'http/1.1');
  t.is(connection.servername, 'localhost');
  t.is((peer as tls.TLSSocket & { servername: string }).servername, 'localhost');
  t.deepEqual(connection.peerCertificate!.raw, serverIdentity.der);
  t.true(connection.authorized);
  t.is(connection.authorizationError, undefined);
});

overDrivers('without protocols in common there is no ALPN, or no connection', async (t, recordIO) => {
  const silent = await withNodeServer(t, { recordIO });
  t.is(silent.connection.alpnProtocol, false);
  const context = createContext({ key, cert, ALPNProtocols: ['h2'] });
  const { server, port } = await serve(t, { recordIO, context });
  const failed = once(server, 'tlsClientError');
  await t.throwsAsync(nodeClient(t, port, { ALPNProtocols: ['spdy/1'] }));
  const [error] = await failed;
  t.like(error, { code: 'ERR_SSL_NO_APPLICATION_PROTOCOL', alert: 'no_application_protocol', alertReceived: false });
  const failing = dial(t, port, { recordIO, ALPNProtocols: ['spdy/1'] });
  t.like(await t.throwsAsync(failing), { alert: 'no_application_protocol', alertReceived: true });
});

overDrivers('the name to ask for is the host, unless that is an address', async (t, recordIO) => {
  const names: (string | undefined)[] = [];
  const { server, port } = await serve(t, { recordIO });
  server.on('connection', (connection) => names.push(connection.servername));
  const connected = once(server, 'connection');
  await Promise.all([connected, dial(t, port, { recordIO, host: 'localhost', family: 4 })]);
  await Promise.all([once(server, 'connection'), dial(t, port, { recordIO, host: HOST })]);
  await Promise.all([once(server, 'connection'), dial(t, port, { recordIO, servername: 'localhost' })]);
  t.deepEqual(names, ['localhost', undefined, 'localhost']);
});

overDrivers('a server that is not trusted is refused, with an alert', async (t, recordIO) => {
  const context = createContext({ ca: stranger.cert });
  const { server, port } = await serve(t, { recordIO });
  const failed = once(server, 'tlsClientError');
  const error = await t.throwsAsync(dial(t, port, { recordIO, context }));
  t.like(error, {
    name: 'TlsError',
    code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    alert: 'unknown_ca',
    alertReceived: false,
  });
  const [told] = await failed;
  t.like(told, { alert: 'unknown_ca', alertReceived: true });
});

overDrivers('a server that is not trusted is told of if it need not be trusted', async (t, recordIO) => {
  const context = createContext({ ca: stranger.cert });
  const { port } = await serve(t, { recordIO });
  for (const options of [
    { context, rejectUnauthorized: false },
    { context: createContext({ ca: stranger.cert, rejectUnauthorized: false }) },
  ]) {
    const connection = await dial(t, port, { recordIO, ...options });
    t.false(connection.authorized);
    t.is(connection.authorizationError, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    t.truthy(connection.peerCertificate);
  }
  const strict = createContext({ ca: stranger.cert, rejectUnauthorized: false });
  await t.throwsAsync(dial(t, port, { recordIO, context: strict, rejectUnauthorized: true }), {
    code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  });
});

overDrivers('a certificate of another name is refused, or told of', async (t, recordIO) => {
  const { port } = await serve(t, { recordIO });
  const servername = 'elsewhere.example';
  const error = await t.throwsAsync(dial(t, port, { recordIO, servername }), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  t.like(error, { host: servername });
  const connection = await dial(t, port, { recordIO, servername, rejectUnauthorized: false });
  t.false(connection.authorized);
  t.is(connection.authorizationError, 'ERR_TLS_CERT_ALTNAME_INVALID');
});

test('names are checked as the options say', async (t) => {
  const { port } = await serve(t);
  const refusal = new Error('not to my taste');
  const checked: unknown[] = [];
  const checkServerIdentity = (name: string, certificate: tls.PeerCertificate): Error | undefined => {
    checked.push([name, certificate.subject.CN, certificate.fingerprint256]);
    return checked.length === 1 ? refusal : undefined;
  };
  const options = { servername: 'any.example', checkServerIdentity };
  t.is(await t.throwsAsync(dial(t, port, options)), refusal);
  const connection = await dial(t, port, options);
  t.true(connection.authorized);
  const { fingerprint256 } = connection.peerCertificate!;
  const call = ['any.example', 'localhost', fingerprint256];
  t.deepEqual(checked, [call, call]);
  const thrower = {
    servername: 'any.example',
    checkServerIdentity: () => {
      throw refusal;
    },
  };
  t.is(await t.throwsAsync(dial(t, port, thrower)), refusal);
});

test('an address is checked, too', async (t) => {
  const identity = issue({ issuer: authority, names: ['localhost'] });
  const { port } = await serve(t, { context: createContext({ key: identity.key, cert: identity.cert }) });
  await t.throwsAsync(dial(t, port), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  await t.notThrowsAsync(dial(t, port, { servername: 'localhost' }));
});

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  const only = { minVersion: version, maxVersion: version };
  const client = { key: clientIdentity.key, cert: clientIdentity.cert };

  overDrivers(`a server that asks knows its clients, with ${version}`, async (t, recordIO) => {
    const context = createContext({ key, cert, ca: authority.cert, requestCert: true });
    const { connection } = await withNodeClient(t, { recordIO, context }, { ...client, ...only });
    t.true(connection.authorized);
    t.deepEqual(connection.peerCertificate!.raw, clientIdentity.der);
    t.deepEqual(
      connection.peerCertificates.map(({ raw }) => raw),
      [clientIdentity.der, authority.der],
    );
  });

  overDrivers(`a client that is asked shows its certificate, with ${version}`, async (t, recordIO) => {
    const context = createContext({ ca: authority.cert, ...client });
    const options = { requestCert: true, ca: authority.cert, ...only };
    const { peer } = await withNodeServer(t, { recordIO, context }, options);
    t.true(peer.authorized);
    t.deepEqual(peer.getPeerCertificate().raw, clientIdentity.der);
  });

  overDrivers(`a client without a certificate is refused if one is needed, with ${version}`, async (t, recordIO) => {
    const context = createContext({ key, cert, ca: authority.cert, requestCert: true });
    const { server, port } = await serve(t, { recordIO, context });
    const failed = once(server, 'tlsClientError');
    const peer = tls.connect({ host: HOST, port, ca: authority.cert, ...only });
    const refused = once(peer, 'error');
    const [error] = await failed;
    t.like(error, { code: 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE', alertReceived: false });
    await refused.catch(() => {});
    peer.destroy();
  });
}

overDrivers('a client that is not trusted is let in and told of if the server allows it', async (t, recordIO) => {
  const client = issue({ client: true, names: [], subject: 'stranger' });
  const context = createContext({ key, cert, ca: authority.cert, requestCert: true, rejectUnauthorized: false });
  const { server, port } = await serve(t, { recordIO, context });
  const [known] = await Promise.all([accepted(server), nodeClient(t, port, { key: client.key, cert: client.cert })]);
  t.false(known.authorized);
  t.is(known.authorizationError, 'DEPTH_ZERO_SELF_SIGNED_CERT');
  t.is(known.peerCertificate!.subject, 'CN=stranger');
  const [nobody] = await Promise.all([accepted(server), nodeClient(t, port)]);
  t.false(nobody.authorized);
  t.is(nobody.peerCertificate, undefined);
});

overDrivers('both ends derive the same keying material', async (t, recordIO) => {
  const { connection, peer } = await withNodeClient(t, { recordIO });
  const context = Buffer.from('context');
  t.deepEqual(
    connection.exportKeyingMaterial(48, 'EXPORTER-test', context),
    peer.exportKeyingMaterial(48, 'EXPORTER-test', context),
  );
  const { server, client } = await pair(t, { server: { recordIO }, client: { recordIO } });
  t.deepEqual(server.exportKeyingMaterial(16, 'a'), client.exportKeyingMaterial(16, 'a'));
  t.notDeepEqual(server.exportKeyingMaterial(16, 'a'), client.exportKeyingMaterial(16, 'b'));
  t.notDeepEqual(server.exportKeyingMaterial(16, 'a'), server.exportKeyingMaterial(16, 'a', Buffer.of(0)));
  for (const length of [0, -1, 1.5, 65_536]) {
    t.throws(() => server.exportKeyingMaterial(length, 'a'), { code: 'ERR_OUT_OF_RANGE' });
  }
  t.throws(() => server.exportKeyingMaterial(16, 5 as never), { code: 'ERR_INVALID_ARG_TYPE' });
});

overDrivers('a server shows the intermediate certificates, and a client finds them', async (t, recordIO) => {
  const intermediate = issueAuthority({ issuer: authority, subject: 'Intermediate' });
  const leaf = issue({ issuer: intermediate });
  const port = await nodeServer(t, () => {}, { key: leaf.key, cert: leaf.cert + intermediate.cert });
  const connection = await dial(t, port, { recordIO, context: clientContext });
  t.deepEqual(
    connection.peerCertificates.map(({ raw }) => raw),
    [leaf.der, intermediate.der],
  );
});
