import { versions, type Versions } from 'libssl-async';

versions satisfies Versions;
versions.openssl satisfies string;

// @ts-expect-error: what runs underneath cannot be changed
versions.openssl = '1.0.2';
