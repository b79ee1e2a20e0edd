import { bedSuite } from './bed-suite.ts';

bedSuite('in-process');
