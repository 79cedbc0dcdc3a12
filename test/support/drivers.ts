import test, { type ExecutionContext } from 'ava';

/** Where record I/O runs. */
export type Driver = 'loop' | 'worker';

export const DRIVERS: readonly Driver[] = ['loop', 'worker'];

/** Declares a test for each driver. */
export function overDrivers(title: string, body: (t: ExecutionContext, driver: Driver) => Promise<void>): void {
  for (const driver of DRIVERS) test(`${title} [${driver}]`, (t) => body(t, driver));
}

/** Declares a test for each driver; none of the same file runs beside it. */
export function overDriversSerially(title: string, body: (t: ExecutionContext, driver: Driver) => Promise<void>): void {
  for (const driver of DRIVERS) test.serial(`${title} [${driver}]`, (t) => body(t, driver));
}
