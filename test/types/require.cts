import libsslAsync = require('libssl-async');

libsslAsync.versions satisfies libsslAsync.Versions;
