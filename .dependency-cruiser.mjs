// Who may import whom (docs/architecture.md, "Rooms"). Everything that is not allowed here is forbidden.
// The parser must be swc: with TypeScript 7 the default one silently sees no modules
// (test/unit/house/import-rules.test.ts plants a violation in every room to prove that they are seen).

import swcVisitor from '@swc/core/Visitor.js';

// swc's visitor, by which dependency-cruiser finds imports, does not know `using` and `await using`.
const encryptionSdk = ['decrypt-node', 'encrypt-node', 'material-management-node', 'raw-rsa-keyring-node'].map(
  (part) => `@aws-crypto/${part}`,
);

const Visitor = swcVisitor.Visitor ?? swcVisitor;
const { visitStatement } = Visitor.prototype;
Visitor.prototype.visitStatement = function visit(statement) {
  if (statement.type !== 'UsingDeclaration') return visitStatement.call(this, statement);
  return { ...statement, decls: this.visitVariableDeclarators(statement.decls) };
};

const adapters = ['bundle', 'lane', 'store', 'receipt', 'hook'];

/** @type {Record<string, { rooms: string[], npm: string[], node: boolean }>} */
const rooms = {
  domain: { rooms: [], npm: [], node: false },
  contract: { rooms: ['domain'], npm: ['zod', '@temporalio/workflow', '@temporalio/common'], node: false },
  // workflows may also import types of activities, and cli of the contract: see below.
  workflows: { rooms: ['domain', 'contract'], npm: ['@temporalio/workflow', '@temporalio/common'], node: false },
  // what is signed, and checked, one way by all who sign
  signing: { rooms: ['domain'], npm: ['@sigstore/core', 'canonicalize', 'zod'], node: true },
  bundle: {
    rooms: ['domain', 'signing'],
    npm: [...encryptionSdk, 'canonicalize', 'picomatch', 'tar-stream', 'zod'],
    node: true,
  },
  lane: { rooms: ['domain'], npm: ['ssh2', 'plist'], node: true },
  store: { rooms: ['domain'], npm: ['@aws-sdk/[^/]+'], node: true },
  receipt: { rooms: ['domain', 'signing'], npm: ['canonicalize', 'zod'], node: true },
  hook: { rooms: ['domain'], npm: ['zod'], node: true },
  config: { rooms: ['domain', 'contract'], npm: ['yaml', 'zod'], node: true },
  telemetry: { rooms: ['domain'], npm: ['pino'], node: true },
  activities: {
    rooms: ['domain', 'contract', 'signing', ...adapters, 'telemetry'],
    npm: ['@temporalio/activity', '@temporalio/common'],
    node: true,
  },
  client: {
    rooms: ['domain', 'contract'],
    npm: ['@temporalio/client', '@temporalio/common', '@temporalio/envconfig'],
    node: true,
  },
  embedded: { rooms: ['domain'], npm: ['@temporalio/testing'], node: true },
  page: { rooms: ['client', 'domain', 'contract'], npm: [], node: true },
  cli: {
    rooms: ['client', 'embedded', 'config', 'domain', 'telemetry', 'bundle', 'store', 'receipt', 'signing', 'lane'],
    npm: ['commander', 'log-update'],
    node: true,
  },
};

/** No package at all: matches nothing. */
const nothing = '^$';
const anyOf = (names) => (names.length > 0 ? `(${names.join('|')})` : nothing);

function rulesOf([room, may]) {
  const from = { path: `^src/${room}/` };
  const to = [
    { name: 'rooms', path: '^(src|test|scripts)/', pathNot: `^src/${anyOf([room, ...may.rooms])}/` },
    { name: 'npm', path: 'node_modules/', pathNot: `node_modules/${anyOf(may.npm)}/` },
    ...(may.node ? [] : [{ name: 'node', dependencyTypes: ['core'] }]),
  ];
  return to.map(({ name, ...rest }) => ({ name: `${room}-${name}`, severity: 'error', from, to: rest }));
}

/**
 * Rooms of which another may import types only, for types are erased: of activities, what a workflow's proxy may call;
 * of the contract, what a result that the CLI shows looks like.
 */
const typesOf = { workflows: 'activities', cli: 'contract' };

function withTypes(rule) {
  const [room] = Object.keys(typesOf).filter((name) => rule.name === `${name}-rooms`);
  if (room === undefined) return [rule];
  const shown = typesOf[room];
  const pathNot = `^src/${anyOf([room, ...rooms[room].rooms, shown])}/`;
  return [
    { ...rule, to: { ...rule.to, pathNot } },
    { ...rule, name: `${room}-${shown}`, to: { path: `^src/${shown}/`, dependencyTypesNot: ['type-only'] } },
  ];
}

export default {
  forbidden: [
    ...Object.entries(rooms).flatMap(rulesOf).flatMap(withTypes),
    {
      name: 'cli-lane',
      comment: 'the command line looks at lanes through one file of read-only probes',
      severity: 'error',
      from: { path: '^src/cli/', pathNot: '^src/cli/lane-probe\\.ts$' },
      to: { path: '^src/lane/' },
    },
    {
      name: 'cli-changing',
      comment: 'commands that change something go through Temporal; only those that read may open bundles and stores',
      severity: 'error',
      from: { path: '^src/cli/commands/(backup|cancel|expire|follow|replicate|restore|sweep|verify|worker)\\.ts$' },
      to: { path: `^src/${anyOf(adapters)}/` },
    },
    {
      name: 'worker-imported',
      comment: 'worker.ts is where everything meets; whoever needs a worker spawns it',
      severity: 'error',
      from: {},
      to: { path: '^src/worker\\.ts$' },
    },
    {
      name: 'no-room',
      comment: 'only worker.ts stands outside the rooms',
      severity: 'error',
      from: { path: '^src/', pathNot: [`^src/${anyOf(Object.keys(rooms))}/`, '^src/worker\\.ts$'] },
      to: {},
    },
    { name: 'worker-tests', severity: 'error', from: { path: '^src/worker\\.ts$' }, to: { path: '^(test|scripts)/' } },
    { name: 'no-circle', severity: 'error', from: { path: '^src/' }, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    { name: 'not-found', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    preserveSymlinks: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
