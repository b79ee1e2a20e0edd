import { bedSuite } from './bed-suite.ts';

bedSuite('sshd');
