// Certificates and hosts whose names are made to be taken for others: the weaknesses that node:tls has had, by number.

import { GeneralName } from '@peculiar/asn1-x509';
import test, { type ExecutionContext } from 'ava';
import { type ConnectOptions, type Connection, type Lookup, createContext } from 'libssl-async';

import { issue, issueAuthority } from '../support/certificates.ts';
import { HOST, accepted, dial, serve } from '../support/peers.ts';

const authority = issueAuthority();
const trusting = createContext({ ca: authority.cert });

/** Connects to a server with this identity, whatever its name is. */
async function visit(
  t: ExecutionContext,
  { key, cert }: { key: string; cert: string },
  options: Partial<ConnectOptions>,
): Promise<Connection> {
  const { port } = await serve(t, { context: createContext({ key, cert }) });
  return dial(t, port, { context: trusting, lookup: findHere, ...options });
}

const findHere: Lookup = (_name, _options, callback) => callback(null, [{ address: HOST, family: 4 }]);

const wildcard = issue({ issuer: authority, names: ['*.example.com'] });

test('a wildcard stands for one label', async (t) => {
  const connection = await visit(t, wildcard, { host: 'foo.example.com' });
  t.true(connection.authorized);
  const deeper = visit(t, wildcard, { host: 'foo.bar.example.com' });
  await t.throwsAsync(deeper, { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
});

// Resolvers take these for full stops, so that the host is one of another level (CVE-2026-48618).
for (const stop of ['\u3002', '\uff0e', '\uff61']) {
  for (const option of ['host', 'servername'] as const) {
    const point = stop.codePointAt(0)!.toString(16).toUpperCase();
    test(`a U+${point} in ${option} is a full stop, as it is for resolvers`, async (t) => {
      const deeper = visit(t, wildcard, { [option]: `foo${stop}bar.example.com` });
      await t.throwsAsync(deeper, { code: 'ERR_TLS_CERT_ALTNAME_INVALID', message: /foo\.bar\.example\.com/ });
      const connection = await visit(t, wildcard, { [option]: `foo${stop}example.com` });
      t.is(connection.servername, 'foo.example.com');
    });
  }
}

test('an international name is asked for and checked in ASCII', async (t) => {
  const identity = issue({ issuer: authority, names: ['xn--bcher-kva.example'] });
  const connection = await visit(t, identity, { host: 'Bücher.example' });
  t.is(connection.servername, 'xn--bcher-kva.example');
  t.true(connection.authorized);
});

// Parsers of hosts end at these, and take what is before them for the name.
for (const name of [
  'foo.example.com/x.evil.test',
  '\uff46oo.example.com/x.evil.test',
  'foo.example.com?.evil.test',
  'foo.example.com#.evil.test',
  'foo.example.com:443.evil.test',
  'foo.example.com\\.evil.test',
  'evil.test@foo.example.com',
  'foo.example.com\uff0fx.evil.test',
  'foo.example.com%2f.evil.test',
  'foo.example.com .evil.test',
]) {
  for (const option of ['host', 'servername'] as const) {
    test(`${name} is no ${option}`, async (t) => {
      const lookup: Lookup = () => t.fail();
      const options = { [option]: name, lookup };
      await t.throwsAsync(dial(t, 1, options), { code: 'ERR_INVALID_ARG_VALUE', message: new RegExp(option) });
    });
  }
}

// C ends strings there: resolvers and certificates that do, too, are of another name.
for (const option of ['host', 'servername', 'path'] as const) {
  test(`a NUL in ${option} is refused`, async (t) => {
    const lookup: Lookup = () => t.fail();
    const options = { [option]: 'localhost\0.evil.test', lookup };
    await t.throwsAsync(dial(t, 1, options), { code: 'ERR_INVALID_ARG_VALUE', message: new RegExp(option) });
  });
}

/** None of them is for localhost. */
const FORGED = {
  'with a NUL in its name': { names: ['localhost\0.evil.test'] },
  'whose common name has a NUL': { names: [], subject: 'localhost\0.evil.test' },
  // CVE-2021-44531
  'whose name is a URI': { names: [new GeneralName({ uniformResourceIdentifier: 'https://localhost/' })] },
  'whose address is a URI': { names: [new GeneralName({ uniformResourceIdentifier: 'https://127.0.0.1/' })] },
  // CVE-2021-44532: Node has names as one string.
  'whose name pretends to be two': { names: ['evil.test, DNS:localhost'] },
  'whose quoted name pretends to be two': { names: ['evil.test", DNS:localhost, DNS:"'] },
  'whose URI pretends to be a name': {
    names: [new GeneralName({ uniformResourceIdentifier: 'https://evil.test/, DNS:localhost' })],
  },
  'whose address for mail pretends to be a name': {
    names: [new GeneralName({ rfc822Name: 'x@evil.test, DNS:localhost, IP Address:127.0.0.1' })],
  },
  // CVE-2021-44533
  'whose common name pretends to be two': { names: [], subject: 'evil.test\nCN=localhost' },
  'whose common name pretends to be a part': { names: [], subject: 'evil.test/CN=localhost' },
  'with a common name that its other names do not have': { names: ['evil.test'], subject: 'localhost' },
};

for (const [what, options] of Object.entries(FORGED)) {
  for (const servername of ['localhost', HOST]) {
    test(`a certificate ${what} is not for ${servername}`, async (t) => {
      const visiting = visit(t, issue({ issuer: authority, ...options }), { servername });
      await t.throwsAsync(visiting, { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    });
  }
}

// CVE-2026-48928: a name in capitals led node:tls to another context. Here a server has one.
test('a name in capitals is the same name, at both ends', async (t) => {
  const { key, cert } = issue({ issuer: authority });
  const client = issue({ issuer: authority, client: true });
  const asking = createContext({ key, cert, ca: authority.cert, requestCert: true });
  const { server, port } = await serve(t, { context: asking });
  server.on('tlsClientError', () => {});
  const stranger = await dial(t, port, { context: trusting, servername: 'LOCALHOST' });
  await t.throwsAsync(stranger.read(), { name: 'TlsError' });
  const context = createContext({ ca: authority.cert, key: client.key, cert: client.cert });
  const [ours, connection] = await Promise.all([accepted(server), dial(t, port, { context, servername: 'LOCALHOST' })]);
  t.true(connection.authorized);
  t.true(ours.authorized);
});
