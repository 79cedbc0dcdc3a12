import { versions } from 'libssl-async';

console.log(`libssl-async ${versions.package} on OpenSSL ${versions.openssl}`);
