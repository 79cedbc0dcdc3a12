export { type Versions, versions } from './versions.ts';
