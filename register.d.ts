// Importing it is what it is for.

// oxlint-disable-next-line require-module-specifiers
export {};
