import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

/** What one process did of a soak that several do. */
export interface Slice {
  readonly seconds: number;
  readonly cancelled: number;
  readonly pauses: number;
  readonly resumes: number;
  readonly callbacks: number;
  readonly drained: number;
  readonly leaked: number;
  readonly faults: number;
}

const FOLDER = 'target/soak';
const FILE = `${FOLDER}/node.json`;

/** The slices so far, in a file: the next process goes on where one has ended. */
export class Slices {
  readonly #done: Slice[];
  /** Slices that began and did not end. */
  readonly crashed: number;

  private constructor(done: Slice[], crashed: number) {
    this.#done = done;
    this.crashed = crashed;
  }

  /** Begins a slice. */
  static begin(): Slices {
    const { done, crashed, isUnderWay } = load();
    const slices = new Slices(done, crashed + Number(isUnderWay));
    slices.#save(true);
    return slices;
  }

  /** Ends the slice that was begun. */
  end(slice: Slice): void {
    this.#done.push(slice);
    this.#save(false);
  }

  /** The slices that have ended, all together. */
  sum(of: keyof Slice): number {
    return this.#done.reduce((sum, slice) => sum + slice[of], 0);
  }

  #save(isUnderWay: boolean): void {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(FILE, JSON.stringify({ done: this.#done, crashed: this.crashed, isUnderWay }, undefined, 2));
  }
}

function load(): { done: Slice[]; crashed: number; isUnderWay: boolean } {
  try {
    return JSON.parse(readFileSync(FILE, 'utf8')) as ReturnType<typeof load>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return { done: [], crashed: 0, isUnderWay: false };
  }
}
