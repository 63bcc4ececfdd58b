import { useAnswer } from '../api.ts';
import { Panel, Waiting } from '../pieces.tsx';
import { Table } from '../table.tsx';
import { clockTime, exactSpan } from '../words.ts';

type Rule = {
  readonly name: string;
  readonly mode: 'shadow' | 'enforce';
  readonly inherits: boolean;
  readonly action: string;
  readonly why: string;
};
type Settings = {
  readonly config: Readonly<Record<string, unknown>>;
  readonly policy: Readonly<Record<string, unknown>> & { readonly mode: string; readonly rules: readonly Rule[] };
};

/** The configuration in force, to read. Secrets are masked by the server. */
export function SettingsPage() {
  const { data, error } = useAnswer<Settings>('/v1/settings');
  if (data === undefined) return <Waiting error={error} what="settings" />;
  const { rules, ...policy } = data.policy;
  const isSection = ([, value]: readonly [string, unknown]): boolean =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  const entries = Object.entries(data.config);
  const general = Object.fromEntries(entries.filter((entry) => !isSection(entry)));
  return (
    <div class="page">
      <header class="head">
        <h1>Settings</h1>
        <span class="soft">in force; changed in the configuration and the policy file, not here</span>
      </header>
      <Panel title="Rules" note="the first that holds decides; a mode that a rule does not name is the policy’s">
        <Table
          caption="Rules"
          rows={rules}
          keyOf={(row) => row.name}
          empty="There is no rule."
          columns={[
            { head: 'Rule', cell: (row) => <code>{row.name}</code> },
            { head: 'Mode', cell: (row) => <span class={`tag action ${row.mode}`}>{row.mode}</span> },
            { head: 'Said by', cell: (row) => (row.inherits ? 'the policy' : 'the rule') },
            { head: 'Action', cell: (row) => row.action },
            { head: 'Why', cell: (row) => <span class="soft">{row.why}</span> },
          ]}
        />
      </Panel>
      <div class="sections">
        <Section name="general" of={general} />
        <Section name="policy" of={policy} />
        {entries.filter(isSection).map(([name, value]) => (
          <Section key={name} name={name} of={value} />
        ))}
      </div>
    </div>
  );
}

function Section({ name, of }: { readonly name: string; readonly of: unknown }) {
  return (
    <Panel title={name}>
      <Table
        caption={name}
        rows={leavesOf(of)}
        keyOf={(row) => row.path}
        empty="nothing"
        columns={[
          { head: 'Setting', cell: (row) => <code>{row.path}</code> },
          { head: 'Value', cell: (row) => <span class="id">{row.value}</span> },
        ]}
      />
    </Panel>
  );
}

type Leaf = { readonly path: string; readonly value: string };

/** Settings of these names are milliseconds, moments or bytes; all others say their unit in their name or have none. */
const durations = /(ttl|halfLife|offenceWindow|dwell|maxAge|Ms)$/;
const moments = /until$/;
const sizes = /BytesMax$/;

function numberText(path: string, value: number): string {
  if (durations.test(path)) return exactSpan(value);
  if (moments.test(path)) return `${clockTime(new Date(value).toISOString())} UTC`;
  if (sizes.test(path)) return value % 1024 ** 2 === 0 ? `${value / 1024 ** 2} MiB` : `${value} bytes`;
  return String(value);
}

function leavesOf(value: unknown, path = ''): readonly Leaf[] {
  if (typeof value === 'number') return [{ path, value: numberText(path, value) }];
  if (typeof value !== 'object' || value === null) return [{ path, value: String(value) }];
  // A list of plain words is one value.
  if (Array.isArray(value) && value.every((each) => typeof each !== 'object'))
    return [{ path, value: value.length === 0 ? 'none' : value.join(', ') }];
  return Object.entries(value).flatMap(([name, each]) => leavesOf(each, path === '' ? name : `${path}.${name}`));
}
