// The recipes of docs/recipes.md for keys in the cloud and in WebCrypto, against a service that signs, and clients of
// node:tls.

import { type webcrypto, subtle } from 'node:crypto';
import { once } from 'node:events';
import { readFile, readdir } from 'node:fs/promises';

import { KMSClient } from '@aws-sdk/client-kms';
import test, { type ExecutionContext } from 'ava';
import { type RemoteKey, createContext, metrics } from 'libssl-async';

import { awsKey } from '../examples/keys/aws-kms.ts';
import { azureKey } from '../examples/keys/azure-key-vault.ts';
import { googleKey } from '../examples/keys/google-kms.ts';
import { webCryptoKey } from '../examples/keys/web-crypto.ts';
import { exposition } from '../examples/prometheus.ts';
import { type Identity, type KeyType, issue } from './support/certificates.ts';
import { type Kms, startKms } from './support/kms.ts';
import { authority, serverIdentity } from './support/identities.ts';
import { nodeClient, nodeClientSocket, serve } from './support/peers.ts';
import { remote } from './support/remote-keys.ts';
import { eventually } from './support/waiting.ts';

const token = (): Promise<string> => Promise.resolve('a-token');
const GOOGLE_KEY = 'projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions';

/** How each of them is used, and what it says of who asks. */
const SERVICES: Readonly<
  Record<string, { key(this: void, kms: Kms, identity: Identity, scheme: string): RemoteKey; who: RegExp }>
> = {
  'AWS KMS': {
    key: ({ url }, { cert }) => awsKey(awsClient(url), 'a-key', cert),
    who: /^AWS4-HMAC-SHA256 Credential=an-id\//,
  },
  'Google Cloud KMS': {
    key({ url }, { cert }, scheme) {
      // Versions of a key have numbers; the service of the tests is told the padding by them.
      const name = `${GOOGLE_KEY}/${scheme.includes('pss') ? 'PSS' : 'EC'}`;
      return googleKey({ name, certificate: cert, scheme, token, endpoint: url });
    },
    who: /^Bearer a-token$/,
  },
  'Azure Key Vault': {
    key: ({ url }, { cert }) => azureKey({ keyId: `${url}/keys/k/1`, certificate: cert, token }),
    who: /^Bearer a-token$/,
  },
};

function awsClient(endpoint: string): KMSClient {
  const credentials = { accessKeyId: 'an-id', secretAccessKey: 'a-secret' };
  return new KMSClient({ endpoint, region: 'eu-central-1', credentials, maxAttempts: 1 });
}

const issued = (type: KeyType): Identity => issue({ issuer: authority, type });

/** Serves clients with a key that they are to trust, and tells what became of the pauses. */
async function serves(t: ExecutionContext, key: RemoteKey, { cert }: Identity, clients: object[]): Promise<void> {
  const { port } = await serve(t, { context: createContext({ key, cert }) });
  await Promise.all(clients.map((options) => nodeClient(t, port, options)));
}

for (const [service, { key: keyOf, who }] of Object.entries(SERVICES)) {
  for (const [type, scheme, algorithm] of [
    ['p-256', 'ecdsa_secp256r1_sha256', /^(ECDSA_SHA_256|EC sha256|ES256)$/],
    ['rsa-2048', 'rsa_pss_rsae_sha256', /^(RSASSA_PSS_SHA_256|PSS sha256|PS256)$/],
  ] as const) {
    test(`${service} signs for ${type}`, async (t) => {
      const identity = issued(type);
      const kms = await startKms(t, identity);
      const key = keyOf(kms, identity, scheme);
      await serves(t, key, identity, [{}, {}, {}]);
      t.is(kms.algorithms.length, 3);
      for (const asked of kms.algorithms) t.regex(asked, algorithm);
      for (const credential of kms.credentials) t.regex(credential, who);
      t.like(key.stats(), { requests: 3, answered: 3, failed: 0 });
    });
  }

  test(`what ${service} says is the cause of the failure`, async (t) => {
    const identity = issued('p-256');
    const kms = await startKms(t, identity);
    kms.mood = 'refuses';
    const key = keyOf(kms, identity, 'ecdsa_secp256r1_sha256');
    const { server, port } = await serve(t, { context: createContext({ key, cert: identity.cert }) });
    const failed = once(server, 'tlsClientError') as Promise<[Error]>;
    await t.throwsAsync(nodeClient(t, port));
    const [{ cause }] = await failed;
    t.regex(String(cause), /the key is disabled/);
    kms.mood = 'signs';
    await nodeClient(t, port);
  });

  test(`${service} is told when a client has gone`, async (t) => {
    const identity = issued('p-256');
    const kms = await startKms(t, identity);
    kms.mood = 'hangs';
    const key = keyOf(kms, identity, 'ecdsa_secp256r1_sha256');
    const { port } = await serve(t, { context: createContext({ key, cert: identity.cert }) });
    const socket = nodeClientSocket(t, port);
    t.true(await eventually(() => kms.algorithms.length === 1));
    socket.destroy();
    // The request over HTTP is given up, not only its answer.
    t.true(await eventually(() => kms.running === 0));
    t.like(key.stats(), { requests: 1, cancelled: 1, inFlight: 0 });
  });

  test(`${service} has no more requests at once than it may`, async (t) => {
    const identity = issued('p-256');
    const kms = await startKms(t, identity);
    kms.mood = 'hangs';
    const key = keyOf(kms, identity, 'ecdsa_secp256r1_sha256');
    const { port } = await serve(t, { context: createContext({ key, cert: identity.cert }) });
    const sockets = Array.from({ length: 40 }, () => nodeClientSocket(t, port));
    t.true(await eventually(() => key.stats().inFlight === 40 && kms.running === 32));
    t.like(key.stats(), { inFlight: 40, waiting: 8 });
    for (const socket of sockets) socket.destroy();
    t.true(await eventually(() => key.stats().inFlight === 0));
    t.is(kms.most, 32);
  });
}

test('Google Cloud KMS signs messages with Ed25519', async (t) => {
  const identity = issued('ed25519');
  const kms = await startKms(t, identity);
  await serves(t, SERVICES['Google Cloud KMS']!.key(kms, identity, 'ed25519'), identity, [{}]);
  t.deepEqual(kms.algorithms, ['EC Ed25519']);
});

const WEB: [KeyType, webcrypto.EcKeyImportParams | webcrypto.RsaHashedImportParams | { name: string }, object?][] = [
  ['p-256', { name: 'ECDSA', namedCurve: 'P-256' }],
  ['p-384', { name: 'ECDSA', namedCurve: 'P-384' }],
  ['ed25519', { name: 'Ed25519' }],
  ['rsa-2048', { name: 'RSA-PSS', hash: 'SHA-256' }],
  ['rsa-2048', { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, { maxVersion: 'TLSv1.2' }],
];

for (const [type, algorithm, client = {}] of WEB) {
  test(`a key of WebCrypto that cannot be exported signs: ${type}, ${algorithm.name}`, async (t) => {
    const identity = issued(type);
    const pkcs8 = identity.privateKey.export({ type: 'pkcs8', format: 'der' });
    const secret = await subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']);
    t.false(secret.extractable);
    const before = metrics().pauses;
    await serves(t, webCryptoKey(secret, identity.cert), identity, [client, client]);
    t.true(metrics().pauses >= before + 2);
  });
}

test('Prometheus is told of the process and of each key', async (t) => {
  const { key } = remote(serverIdentity);
  await serves(t, key, serverIdentity, [{}, {}]);
  const text = exposition({ 'the "KMS"': key, idle: remote(serverIdentity).key });
  const samples = new Map(
    text
      .trimEnd()
      .split('\n')
      .filter((line) => !line.startsWith('# TYPE libssl_async_'))
      .map((line) => /^(libssl_async_[a-z_]+(?:\{(?:[a-z]+="(?:[^"\\]|\\.)*",?)+\})?) ([\d.e-]+)$/.exec(line))
      .map((found) => [found![1]!, Number(found![2])] as const),
  );
  const its = String.raw`{key="the \"KMS\""}`;
  t.is(samples.get(`libssl_async_key_answered_total${its}`), 2);
  t.is(samples.get(`libssl_async_key_in_flight${its}`), 0);
  t.is(samples.get('libssl_async_key_answered_total{key="idle"}'), 0);
  t.is(samples.get(`libssl_async_key_seconds_count${its}`), 2);
  t.is(samples.get(`libssl_async_key_seconds_bucket${its.replace('}', ',le="+Inf"}')}`), 2);
  t.is(samples.get(`libssl_async_key_seconds_sum${its}`), key.stats().time.sum / 1e3);
  t.true(samples.get('libssl_async_pauses_total')! >= 2);
  const buckets = [...samples].filter(([name]) => name.startsWith('libssl_async_pause_seconds_bucket'));
  t.is(buckets.at(-1)![1], samples.get('libssl_async_pause_seconds_count')!);
  t.deepEqual(
    buckets.map(([, count]) => count),
    buckets.map(([, count]) => count).toSorted((one, other) => one - other),
  );
});

test('docs/recipes.md shows the programs as they are', async (t) => {
  const page = await readFile('docs/recipes.md', 'utf8');
  const names = (await readdir('examples/keys')).map((name) => `keys/${name}`);
  for (const name of [...names, 'prometheus.ts', 'ticket-keys.ts']) {
    const text = await readFile(`examples/${name}`, 'utf8');
    t.true(page.includes(`\`\`\`ts\n${text.slice(text.indexOf('\n\n') + 2)}\`\`\``), name);
  }
});
