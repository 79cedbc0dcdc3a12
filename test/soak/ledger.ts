/** Keeps account of promises: what became of them, which of them are pending, and which failed as none may. */
export class Ledger {
  /** How often what ended how: `ok`, or the code of the error. */
  readonly outcomes = new Map<string, Map<string, number>>();
  /** What must not be. */
  readonly faults: string[] = [];
  readonly #pending = new Map<Promise<unknown>, string>();

  /** Waits for a promise and resolves to its value; to nothing if it fails. */
  async settle<T>(what: string, promise: Promise<T>): Promise<T | undefined> {
    this.#pending.set(promise, what);
    try {
      const value = await promise;
      this.count(what, 'ok');
      return value;
    } catch (error) {
      this.fail(what, error);
      return undefined;
    } finally {
      this.#pending.delete(promise);
    }
  }

  /** Counts an error, which has to have a code. */
  fail(what: string, error: unknown): void {
    const { code } = error as { code?: unknown };
    if (error instanceof Error && typeof code === 'string') return this.count(what, code);
    this.fault(`${what}: ${error instanceof Error ? error.stack : String(error)}`);
  }

  count(what: string, outcome: string): void {
    const outcomes = this.outcomes.get(what) ?? new Map<string, number>();
    this.outcomes.set(what, outcomes);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }

  fault(fault: string): void {
    if (this.faults.length < MOST_FAULTS) this.faults.push(fault);
  }

  /** What is pending. */
  pending(): string[] {
    return [...this.#pending.values()];
  }

  /** The lines of a table. */
  rows(): string[][] {
    return [...this.outcomes].flatMap(([what, outcomes]) =>
      [...outcomes]
        .toSorted(([, one], [, other]) => other - one)
        .map(([outcome, count], line) => [line === 0 ? what : '', outcome, String(count)]),
    );
  }
}

/** As many are told as somebody reads. */
const MOST_FAULTS = 20;
