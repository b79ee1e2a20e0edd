import { bedSuite } from './bed-suite.ts';

bedSuite('in-process');
// a bare machine: Node is enough
bedSuite('in-process', ['bsdtar', 'curl', 'ps', 'sqlite3']);
