/** An OpenSSL of the addon's own, or the one that is a part of the Node binary. */
export type Build = 'bundled' | 'host';

/** Whether this is `libssl-async/host`: what is in `dist/` is there again in `dist/host/`. */
const isForHost = import.meta.url.endsWith('/dist/host/build.js');

/** The URL of the folder of this package. */
export const packageFolder: string = new URL(isForHost ? '../..' : '..', import.meta.url).href;

/** Which build of the addon this copy of the package's code uses. */
export const build: Build = isForHost ? 'host' : chosen(process.env['LIBSSL_ASYNC_BUILD']);

/** What objects have under this name is the build that they belong to. */
const BUILD = Symbol.for('libssl-async.build');

/** Has the objects of a class tell which build they belong to. */
export function belongsToBuild(prototype: object): void {
  Object.defineProperty(prototype, BUILD, { value: build });
}

/** The build that an object belongs to, if it is another one. */
export function otherBuild(object: object): Build | undefined {
  const its = (object as { [BUILD]?: Build })[BUILD];
  return its === build ? undefined : its;
}

function chosen(name: string | undefined): Build {
  if (name === undefined || name === 'bundled' || name === 'host') return name ?? 'bundled';
  throw Object.assign(new Error(`the environment variable LIBSSL_ASYNC_BUILD is bundled or host, not ${name}`), {
    code: 'ERR_LIBSSL_ASYNC_BUILD_UNKNOWN',
  });
}
