// Handshakes and requests to remote keys as entries of performance.

import { type PerformanceMeasure, PerformanceObserver, performance } from 'node:perf_hooks';

import test from 'ava';
import { configure, createContext } from 'libssl-async';

import { overDriversSerially } from './support/drivers.ts';
import { serverIdentity } from './support/identities.ts';
import { accepted, nodeClient, serve } from './support/peers.ts';
import { remote, signatureOf } from './support/remote-keys.ts';
import { eventually, turns } from './support/waiting.ts';

const HANDSHAKE = 'libssl-async:handshake';
const REQUEST = 'libssl-async:request';

overDriversSerially('observers are told while that is asked for, and nothing is kept', async (t, recordIO) => {
  const entries: PerformanceMeasure[] = [];
  const observer = new PerformanceObserver((list) => entries.push(...(list.getEntries() as PerformanceMeasure[])));
  observer.observe({ entryTypes: ['measure'] });
  t.teardown(() => observer.disconnect());
  let isFailing = false;
  const { key } = remote(serverIdentity, {
    sign: (request) => {
      if (isFailing) throw new Error('the HSM is on fire');
      return signatureOf(request, serverIdentity.privateKey);
    },
  });
  const { server, port } = await serve(t, { context: createContext({ key, cert: serverIdentity.cert }), recordIO });

  const served = async (): Promise<void> => {
    const [connection] = await Promise.all([accepted(server), nodeClient(t, port)]);
    connection.destroy();
  };

  await served();
  configure({ performanceEntries: true });
  configure({ performanceEntries: true });
  await served();
  isFailing = true;
  await t.throwsAsync(nodeClient(t, port));
  t.true(await eventually(() => entries.length >= 3));
  configure({ performanceEntries: false });
  isFailing = false;
  await served();
  await turns(5);

  entries.sort((one, other) => one.startTime + one.duration - other.startTime - other.duration);
  const scheme = 'ecdsa_secp256r1_sha256';
  t.deepEqual(
    entries.map(({ name, detail }) => [name, detail]),
    [
      [REQUEST, { operation: 'sign', scheme, failed: false }],
      [HANDSHAKE, { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', sessionReused: false }],
      [REQUEST, { operation: 'sign', scheme, failed: true }],
    ],
  );
  const [request, handshake] = entries as [PerformanceMeasure, PerformanceMeasure];
  t.true(request.duration > 0 && request.duration < handshake.duration);
  t.true(handshake.startTime < request.startTime);
  t.deepEqual(performance.getEntriesByType('measure'), []);
});

test('what is no boolean is refused', (t) => {
  t.throws(() => configure({ performanceEntries: 1 as never }), { code: 'ERR_INVALID_ARG_TYPE' });
});
