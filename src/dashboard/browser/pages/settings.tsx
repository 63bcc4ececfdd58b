import { useAnswer } from '../api.ts';
import { Panel, Waiting } from '../pieces.tsx';
import { Table } from '../table.tsx';

/** The configuration in force, to read. Secrets are masked by the server. */
export function SettingsPage() {
  const settings = useAnswer<Readonly<Record<string, unknown>>>('/v1/settings');
  if (settings.data === undefined) return <Waiting error={settings.error} what="settings" />;
  return (
    <div class="page">
      <header class="head">
        <h1>Settings</h1>
        <span class="soft">in force; changed in the configuration file, not here</span>
      </header>
      <div class="sections">
        {Object.entries(settings.data).map(([name, value]) => (
          <Panel key={name} title={name}>
            <Table
              caption={name}
              rows={leavesOf(value)}
              keyOf={(row) => row.path}
              empty="nothing"
              columns={[
                { head: 'Setting', cell: (row) => <code>{row.path}</code> },
                { head: 'Value', cell: (row) => <span class="id">{row.value}</span> },
              ]}
            />
          </Panel>
        ))}
      </div>
    </div>
  );
}

type Leaf = { readonly path: string; readonly value: string };

function leavesOf(value: unknown, path = ''): readonly Leaf[] {
  if (typeof value !== 'object' || value === null) return [{ path, value: String(value) }];
  const entries = Object.entries(value);
  if (entries.length === 0) return [{ path, value: Array.isArray(value) ? 'none' : 'nothing' }];
  // A list of plain words is one value.
  if (Array.isArray(value) && value.every((each) => typeof each !== 'object'))
    return [{ path, value: value.join(', ') }];
  return entries.flatMap(([name, each]) => leavesOf(each, path === '' ? name : `${path}.${name}`));
}
