// A signer in a process of its own, which may be killed at any moment.

import { sign } from 'node:crypto';

import { answer } from '../../examples/support/child.ts';

export type SignerHandlers = { sign(order: { message: Uint8Array; key: string }): Uint8Array };

answer<SignerHandlers>({ sign: ({ message, key }) => sign('sha256', message, key) });
