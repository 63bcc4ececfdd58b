import { FormDialog, TextField } from '../acts.tsx';
import { ask, lookSoon, useAnswer } from '../api.ts';
import { useKeys } from '../keys.ts';
import { useLive } from '../live.ts';
import { DecisionBadge, Empty, Fact, Identity, Panel, Risk, Severity, Time, Waiting } from '../pieces.tsx';
import { Points } from '../points.tsx';
import { go, linkTo, type Place } from '../router.ts';
import type { Incident } from '../rows.ts';
import { useSession } from '../session.ts';
import { claimOf, clockTime, kindName, plural } from '../words.ts';
import { FindingLines } from './findings.tsx';

/** One incident: what was found about it, in which order, what was decided, and what people said. */
export function IncidentPage({ place }: { readonly place: Place }) {
  const path = `/v1/incidents/${encodeURIComponent(place.id)}`;
  const incident = useAnswer<Incident>(path);
  useLive(['finding', 'decision'], incident.reload);
  useKeys({ Escape: () => go(linkTo('incidents')) });
  if (incident.data === undefined) return <Waiting error={incident.error} what="incident" />;
  const { data } = incident;
  return (
    <article class="page finding">
      <Head incident={data} path={path} reload={incident.reload} />
      <div class="columns">
        <div class="column">
          <Panel title="Findings" note={plural(data.finding_count, 'finding')}>
            <FindingLines of={data.findings} />
          </Panel>
          <Story incident={data} />
        </div>
        <div class="column aside">
          <Panel title="What was done">
            <ul class="plainlist">
              {data.decisions.map((decision) => (
                <li key={decision.decision_id}>
                  <p>
                    <DecisionBadge action={decision.action} mode={decision.mode} /> <Time of={decision.made_at} />
                  </p>
                  <p class="soft">{decision.why}</p>
                  <Points of={decision} />
                </li>
              ))}
            </ul>
            {data.decisions.length === 0 && <Empty>No decision was made because of it.</Empty>}
          </Panel>
          <Comments incident={data} path={path} reload={incident.reload} />
        </div>
      </div>
    </article>
  );
}

type Props = { readonly incident: Incident; readonly path: string; readonly reload: () => void };

const closing = { state: 'closed', title: 'Close the incident', open: 'Close…', confirm: 'Close it' };
const opening = { state: 'open', title: 'Open the incident again', open: 'Open again…', confirm: 'Open it' };

function Head({ incident, path, reload }: Props) {
  const { caller } = useSession();
  const [identity = ''] = incident.identities;
  const { claim, because } = claimOf({ title: incident.title, identity });
  const change = (body: object): Promise<unknown> => ask(path, { method: 'POST', body });
  const next = incident.state === 'open' ? closing : opening;
  return (
    <header class="head">
      <p class="path">
        <a href={linkTo('incidents')}>Incidents</a>{' '}
        <span class="soft">/ {incident.kinds.map(kindName).join(', ')}</span>
      </p>
      <h1>
        <Identity of={identity} /> <span>{claim.charAt(0).toLowerCase() + claim.slice(1)}</span>
      </h1>
      <p class="because">{because}</p>
      <dl class="facts">
        <Fact name="Severity">
          <Severity of={incident.severity} />
        </Fact>
        <Fact name="State">{incident.state}</Fact>
        <Fact name="Risk">
          <Risk of={incident.risk} />
        </Fact>
        <Fact name="First seen">
          <Time of={incident.first_seen} isExact />
        </Fact>
        <Fact name="Last seen">
          <Time of={incident.last_seen} isExact />
        </Fact>
        {incident.identity_count > 1 && <Fact name="Identities">{incident.identity_count}</Fact>}
        <Fact name="Taken by">{incident.assignee === '' ? 'nobody' : incident.assignee}</Fact>
      </dl>
      <div class="buttons">
        {incident.assignee !== caller && (
          <button type="button" onClick={() => void change({ assignee: caller }).then(() => lookSoon(reload))}>
            Take it
          </button>
        )}
        <FormDialog
          key={next.state}
          title={next.title}
          open={next.open}
          confirm={next.confirm}
          send={(values) => change({ state: next.state, ...values })}
          onDone={reload}
        >
          {() => <TextField name="reason" label="Reason" isRequired />}
        </FormDialog>
        <a class="button" href={`${path}/report?format=html`} download>
          Report (HTML)
        </a>
        <a class="button" href={`${path}/report?format=markdown`} download>
          Report (Markdown)
        </a>
      </div>
    </header>
  );
}

function Story({ incident }: { readonly incident: Incident }) {
  return (
    <Panel title="Timeline" note="times in UTC">
      <ol class="story">
        {incident.timeline.map((moment) => (
          <li key={`${moment.at} ${moment.type} ${moment.ref}`} class={moment.type}>
            <time dateTime={moment.at}>{clockTime(moment.at)}</time>
            <span class="tag">{moment.type}</span>
            <span class="text">
              {moment.type === 'finding' ? <a href={linkTo('finding', moment.ref)}>{moment.text}</a> : moment.text}
            </span>
          </li>
        ))}
      </ol>
    </Panel>
  );
}

function Comments({ incident, path, reload }: Props) {
  return (
    <Panel title="Comments">
      <ul class="plainlist">
        {incident.comments.map((comment) => (
          <li key={comment.note_id}>
            <p class="soft">
              {comment.who} <Time of={comment.at} />
            </p>
            <p>{comment.text}</p>
          </li>
        ))}
      </ul>
      {incident.comments.length === 0 && <Empty>Nobody said anything yet.</Empty>}
      <FormDialog
        title="Comment"
        open="Comment…"
        confirm="Say it"
        send={(values) => ask(path, { method: 'POST', body: values })}
        onDone={reload}
      >
        {() => <TextField name="comment" label="Comment" isRequired />}
      </FormDialog>
    </Panel>
  );
}
