/** An integer from 0, and below `limit`. */
export function below(limit: number): number {
  return Math.floor(Math.random() * limit);
}

/** One of some. */
export function oneOf<T>(...choices: readonly T[]): T {
  return choices[below(choices.length)]!;
}
