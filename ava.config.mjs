export default {
  files: ['build/test/**/*.test.js'],
  nodeArguments: ['--enable-source-maps'],
  timeout: '2m',
  // An addon with threads of its own wants a process for each test file.
  workerThreads: false,
};
