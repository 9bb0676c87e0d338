// The API reference: `npm run docs` writes it to docs/, and test/reference.test.ts checks it.

import { readFileSync } from 'node:fs';
import { Converter, OptionDefaults } from 'typedoc';

const { exports } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));

/** @type {Record<string, string>} */
const FOLDERS = { '.': 'src', './testing': 'src/testing' };

/** The site is built where the repository is known: there it links to the sources. */
const repository = process.env.GITHUB_REPOSITORY;

/** Fields without a comment of their own, such as the `kind` of a union: that of the type has it. */
const SAID_AT_THE_TYPE = [
  'slotvisor.EventOf.__type.type',
  'slotvisor.Failure.__type.kind',
  'slotvisor.Outcome.__type.kind',
  'slotvisor.TaskEvent.__type.type',
  'slotvisor.TaskId.__type.__brand',
  'slotvisor.ValueOf.__type.run',
  'slotvisor/cron.ElsewhereRun.kind',
  'slotvisor/cron.FailedRun.kind',
  'slotvisor/cron.MissedRun.kind',
  'slotvisor/cron.ScheduleDates.__type.at',
  'slotvisor/cron.ScheduleDates.__type.cron',
  'slotvisor/cron.ScheduleDates.__type.everyMs',
  'slotvisor/cron.ScheduleUpdate.__type.at',
  'slotvisor/cron.ScheduleUpdate.__type.cron',
  'slotvisor/cron.ScheduleUpdate.__type.everyMs',
  'slotvisor/cron.SubmittedRun.kind',
  'slotvisor/dashboard.DashboardAction.__type.kind',
  'slotvisor/fleet.AskAnswer.__type.state',
  'slotvisor/fleet.LeaseNews.__type.kind',
  'slotvisor/health.HealthCheck.__type.status',
];

/** @type {Partial<import('typedoc').TypeDocOptions>} */
export default {
  entryPoints: Object.keys(exports)
    .filter((path) => path !== './package.json')
    .map((path) => `${FOLDERS[path] ?? path.replace('.', 'src/ext')}/index.ts`),
  tsconfig: 'src/tsconfig.json',
  projectDocuments: [
    'src/!(ARCHITECTURE).md',
    'examples/service/README.md',
    'test/bench/README.md',
    'src/ARCHITECTURE.md',
    'CHANGELOG.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
  ],
  out: 'docs',
  name: 'slotvisor',
  includeVersion: true,
  displayBasePath: '.',
  skipErrorChecking: true, // npm run typecheck does that
  excludePrivate: true,
  excludeInternal: true,
  excludeExternals: true,
  disableSources: repository === undefined,
  ...(repository && { sourceLinkTemplate: `https://github.com/${repository}/blob/{gitRevision}/{path}#L{line}` }),
  highlightLanguages: [...OptionDefaults.highlightLanguages, 'rust', 'sql'],
  ignoredHighlightLanguages: ['mermaid'],
  sort: ['kind', 'source-order'],
  kindSortOrder: ['Document', 'Class', 'Function', 'Interface', 'TypeAlias', 'Variable'],
  sortEntryPoints: false,
  navigation: { includeFolders: false },
  plugin: [titles],
  // For the compiler alone. The comments of the functions that have them say what they ask for.
  intentionallyNotExported: [
    'src/api/builders.ts:Rest',
    'src/api/supervisor.ts:Inferred',
    'src/model/spec.ts:InferredState',
  ],
  intentionallyNotDocumented: SAID_AT_THE_TYPE,
  treatWarningsAsErrors: true,
  validation: { notExported: true, invalidLink: true, invalidPath: true, notDocumented: true },
};

/**
 * Names each document by its first heading, not by its file. The one of an entry point is the guide
 * to it: the module has that heading already.
 *
 * @param {import('typedoc').Application} app
 */
function titles(app) {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_, document) => {
    const text = document.content.map((part) => part.text).join('');
    document.name = document.parent.isProject() ? /^# (.+)/m.exec(text)[1] : 'Guide';
  });
}
