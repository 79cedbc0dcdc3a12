// A service over HTTP that signs digests with a key of its own, and is asked as AWS KMS, Google Cloud KMS and Azure Key
// Vault are.

import { type ChildProcess, spawn } from 'node:child_process';
import { type KeyObject, sign } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, json } from 'node:stream/consumers';

import type { ExecutionContext } from 'ava';

import type { Identity } from './certificates.ts';
import { HOST } from './peers.ts';

/** What it is asked, whoever's words that is said in. */
interface Asked {
  readonly algorithm: string;
  readonly digest: Buffer;
}

export interface Kms {
  readonly url: string;
  /** Algorithms of the requests that it has got, in its own words. */
  readonly algorithms: string[];
  /** Who it was that asked: the header `authorization` of each request. */
  readonly credentials: string[];
  /** Requests that have no answer yet. */
  readonly running: number;
  /** The most that there were at once. */
  readonly most: number;
  /** Has the next requests get this answer in place of a signature, or none at all. */
  mood: 'signs' | 'refuses' | 'hangs';
}

/** Starts one that has the key of an identity. It ends with the test. */
export async function startKms(t: ExecutionContext, { key, privateKey }: Identity): Promise<Kms> {
  const folder = await mkdtemp(join(tmpdir(), 'libssl-async-kms-'));
  const keyFile = join(folder, 'key.pem');
  await writeFile(keyFile, key);
  const running = new Set<ServerResponse>();
  const algorithms: string[] = [];
  const credentials: string[] = [];
  let most = 0;
  const kms: Kms = {
    url: '',
    algorithms,
    credentials,
    get running() {
      return running.size;
    },
    get most() {
      return most;
    },
    mood: 'signs',
  };
  const server = createServer((request, response) => {
    running.add(response);
    most = Math.max(most, running.size);
    response.on('close', () => running.delete(response));
    credentials.push(request.headers.authorization ?? '');
    void answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  t.teardown(async () => {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const style = styleOf(request);
    const { algorithm, digest } = style.asked((await json(request)) as Record<string, string>);
    algorithms.push(algorithm);
    if (kms.mood === 'hangs') return;
    if (kms.mood === 'refuses') return void response.writeHead(400, style.headers).end(style.refusal);
    const signature = await signed(algorithm, digest, privateKey, keyFile);
    response.writeHead(200, style.headers).end(JSON.stringify(style.answer(signature)));
  }
  const { port } = server.address() as AddressInfo;
  return Object.defineProperty(kms, 'url', { value: `http://${HOST}:${port}` });
}

/** The words of one of the three. */
interface Style {
  readonly headers: { 'content-type': string };
  readonly refusal: string;
  asked(body: Record<string, string>): Asked;
  answer(signature: Buffer): object;
}

function styleOf({ headers, url }: IncomingMessage): Style {
  if (headers['x-amz-target'] === 'TrentService.Sign') return AWS;
  const google = /^\/v1\/projects\/.+\/cryptoKeyVersions\/(\w+):asymmetricSign$/.exec(url!);
  if (google) return googleStyle(google[1]!);
  if (/^\/keys\/\w+\/\w+\/sign\?api-version=7\.4$/.test(url!)) return AZURE;
  throw new Error(`nobody asks for ${url}`);
}

const AWS: Style = {
  headers: { 'content-type': 'application/x-amz-json-1.1' },
  refusal: JSON.stringify({ __type: 'DisabledException', message: 'the key is disabled' }),
  asked({ MessageType, Message, SigningAlgorithm }) {
    if (MessageType !== 'DIGEST') throw new Error(`not a digest: ${MessageType}`);
    return { algorithm: SigningAlgorithm!, digest: Buffer.from(Message!, 'base64') };
  },
  answer: (signature) => ({ Signature: signature.toString('base64') }),
};

const JSON_TYPE = { 'content-type': 'application/json' };

function googleStyle(version: string): Style {
  return {
    headers: JSON_TYPE,
    refusal: JSON.stringify({ error: { code: 400, message: 'the key is disabled', status: 'FAILED_PRECONDITION' } }),
    asked({ data, digest }) {
      const [hash, value] = Object.entries(digest ?? { Ed25519: data! })[0]!;
      return { algorithm: `${version} ${hash}`, digest: Buffer.from(value, 'base64') };
    },
    answer: (signature) => ({ signature: signature.toString('base64') }),
  };
}

const AZURE: Style = {
  headers: JSON_TYPE,
  refusal: JSON.stringify({ error: { code: 'Forbidden', message: 'the key is disabled' } }),
  asked: ({ alg, value }) => ({ algorithm: alg!, digest: Buffer.from(value!, 'base64url') }),
  answer: (signature) => ({ value: (isDer(signature) ? ieeeP1363(signature) : signature).toString('base64url') }),
};

/** A signature of a digest, by the program of OpenSSL, as node:crypto signs messages only; with Ed25519, of the message. */
async function signed(algorithm: string, digest: Buffer, privateKey: KeyObject, keyFile: string): Promise<Buffer> {
  if (algorithm.endsWith('Ed25519')) return sign(null, digest, privateKey);
  const rsa = ['-pkeyopt', `digest:sha${digest.length * 8}`];
  if (/PSS|^PS/.test(algorithm)) rsa.push('-pkeyopt', 'rsa_padding_mode:pss', '-pkeyopt', 'rsa_pss_saltlen:digest');
  const isRsa = privateKey.asymmetricKeyType === 'rsa';
  const openssl = spawn('openssl', ['pkeyutl', '-sign', '-inkey', keyFile, ...(isRsa ? rsa : [])], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  openssl.stdin.end(digest);
  const [signature] = await Promise.all([buffer(openssl.stdout), succeeded(openssl)]);
  return signature;
}

async function succeeded(child: ChildProcess): Promise<void> {
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`openssl has ended with ${code}`);
}

/** Those of RSA are longer, and never begin so. */
function isDer(signature: Buffer): boolean {
  return signature.length < 150 && signature[0] === 0x30;
}

/** Of P-256: two integers of 32 bytes. */
function ieeeP1363(der: Buffer): Buffer {
  const r = der.subarray(4, 4 + der[3]!);
  const s = der.subarray(6 + r.length);
  return Buffer.concat([r, s].map((integer) => Buffer.concat([Buffer.alloc(32), integer]).subarray(-32)));
}
