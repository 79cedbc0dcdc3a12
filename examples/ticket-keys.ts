// Keys of session tickets that servers in several processes have in common and change together, through Redis: a client
// that comes back is resumed by whichever server it meets.

import { randomBytes } from 'node:crypto';

import type { Redis } from 'ioredis';

const LIST = 'ticket-keys';
/** Tickets of the last two keys before are good, too. */
const KEPT = 3;

/** Has `take` called with the keys now, and whenever they change: `(keys) => server.setTicketKeys(keys)`. */
export async function followTicketKeys(redis: Redis, take: (keys: Buffer[]) => void): Promise<void> {
  const news = redis.duplicate();
  const look = async (): Promise<void> => {
    const keys = await redis.lrangeBuffer(LIST, 0, -1);
    if (keys.length > 0) take(keys);
  };
  news.on('message', () => void look().catch(() => {})); // the keys stay what they were
  await news.subscribe(LIST);
  await look();
}

/** The first step of a change: everybody learns a new key, and nobody makes tickets with it. */
export async function announceTicketKey(redis: Redis): Promise<void> {
  await redis.multi().rpush(LIST, randomBytes(48)).publish(LIST, 'announced').exec();
}

/** The second, when all have heard of it: tickets are made with it. One process does both, once a day for instance. */
export async function useTicketKey(redis: Redis): Promise<void> {
  await redis
    .multi()
    .lmove(LIST, LIST, 'RIGHT', 'LEFT')
    .ltrim(LIST, 0, KEPT - 1)
    .publish(LIST, 'used')
    .exec();
}
