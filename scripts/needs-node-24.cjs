// Loaded before every program: an older Node could not even read the file that would say so.
'use strict';

if (Number(process.versions.node.split('.')[0]) < 24) {
  console.error(
    `This needs Node 24 or later, and this is ${process.version}. It comes along with npm ci; with --omit=dev, install it.`,
  );
  process.exit(1);
}
