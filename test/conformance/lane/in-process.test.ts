import { laneSuite } from './lane-suite.ts';

laneSuite('in-process');
