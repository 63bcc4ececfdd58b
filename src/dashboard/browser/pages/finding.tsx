import { useAnswer } from '../api.ts';
import { useKeys } from '../keys.ts';
import { useLive } from '../live.ts';
import { DecisionBadge, Empty, Fact, Identity, Kind, Panel, Risk, Severity, Time, Waiting } from '../pieces.tsx';
import { go, linkTo, type Place } from '../router.ts';
import type { DecisionRow, Explanation, FindingContext, FindingRow, ReasonRow } from '../rows.ts';
import { ObservedPlot, ShareBar } from '../small-plots.tsx';
import { Timeline } from '../timeline.tsx';
import { Verdict, type VerdictRow } from '../verdict.tsx';
import { claimOf, count, identityName, kindName, percent, plural } from '../words.ts';

type Context = FindingContext & { readonly verdicts?: readonly VerdictRow[] };

/** One finding: what happened, why it is odd, who it is about, what was done. */
export function FindingPage({ place }: { readonly place: Place }) {
  const context = useAnswer<Context>(`/v1/findings/${encodeURIComponent(place.id)}/context`);
  useLive(['finding', 'decision'], context.reload);
  const incident = context.data?.finding.incident_id ?? '';
  useKeys({ Escape: () => go(incident === '' ? linkTo('findings') : linkTo('incident', incident)) });
  if (context.data === undefined) return <Waiting error={context.error} what="finding" />;
  return <Found context={context.data} reload={context.reload} />;
}

function Found({ context, reload }: { readonly context: Context; readonly reload: () => void }) {
  const { finding, events, similar, decisions, peers } = context;
  const of = `/v1/identities/${encodeURIComponent(finding.identity)}`;
  const explained = useAnswer<Explanation>(`${of}/explain-decision`);
  const about = useAnswer<{ readonly decisions: readonly DecisionRow[] }>(
    `/v1/decisions?identity=${encodeURIComponent(finding.identity)}&limit=20`,
  );
  const others = about.data?.decisions.filter((each) => decisions.every((own) => own.decision_id !== each.decision_id));
  const { claim, because } = claimOf(finding);
  return (
    <article class="page finding">
      <header class="head">
        <p class="path">
          <a href={linkTo('incident', finding.incident_id)}>Incident</a>{' '}
          <span class="soft">/ {kindName(finding.kind)}</span>
        </p>
        <h1>
          <Identity of={finding.identity} /> <span>{claim.charAt(0).toLowerCase() + claim.slice(1)}</span>
        </h1>
        <p class="because">{because}</p>
        <dl class="facts">
          <Fact name="Severity">
            <Severity of={finding.severity} />
          </Fact>
          <Fact name="State">{finding.state}</Fact>
          <Fact name="Risk">
            <Risk of={finding.risk} />
          </Fact>
          <Fact name="First seen">
            <Time of={finding.first_seen} isExact />
          </Fact>
          <Fact name="Last seen">
            <Time of={finding.last_seen} isExact />
          </Fact>
          <Fact name="Events">{count(finding.count)}</Fact>
          <Fact name="Confidence">{percent(finding.confidence)}</Fact>
        </dl>
        <Verdict finding={finding} verdicts={context.verdicts ?? []} onDone={reload} />
      </header>
      <div class="columns">
        <div class="column">
          <Why reasons={finding.reasons} />
          <Timeline events={events} />
        </div>
        <div class="column aside">
          <WhatWasDone explained={explained.data} own={decisions} others={others ?? []} />
          <ComparedWith reasons={finding.reasons} peers={peers} />
          <Similar findings={similar} identity={finding.identity} />
          <Means finding={finding} />
        </div>
      </div>
    </article>
  );
}

function Why({ reasons }: { readonly reasons: readonly ReasonRow[] }) {
  return (
    <Panel
      title="Why"
      note="the band holds 90 % of what is usual, the line is what was expected, the dot what was seen"
    >
      <ol class="reasons">
        {reasons.map((reason) => (
          <li key={reason.feature}>
            <div class="told">
              <p>{reason.text}</p>
              <p class="soft">
                {levelText(reason)}
                {reason.share !== undefined && ` · ${percent(reason.share)} of the score`}
              </p>
              {reason.share !== undefined && <ShareBar share={reason.share} />}
            </div>
            <ObservedPlot reason={reason} />
          </li>
        ))}
      </ol>
      {reasons.length === 0 && <Empty>No reason is stored with it.</Empty>}
    </Panel>
  );
}

const levels: Readonly<Record<string, string>> = { self: 'its own past', peers: 'its peers', everyone: 'everyone' };

function levelText({ level = '', sample_size }: ReasonRow): string {
  const against = `compared with ${levels[level] ?? (level === '' ? 'what is usual' : level)}`;
  return sample_size === undefined ? against : `${against} (${plural(sample_size, 'event')})`;
}

type DoneProps = {
  readonly explained: Explanation | undefined;
  /** Because of this finding, and because of others about the same identity. */
  readonly own: readonly DecisionRow[];
  readonly others: readonly DecisionRow[];
};

function WhatWasDone({ explained, own, others }: DoneProps) {
  return (
    <Panel title="What was done">
      {explained !== undefined && <p class="outcome">{explained.outcome}</p>}
      <ul class="plainlist">
        {[...own, ...others].map((decision) => (
          <li key={decision.decision_id}>
            <p>
              <DecisionBadge action={decision.action} mode={decision.mode} /> <Time of={decision.made_at} />
            </p>
            <p class="soft">
              {decision.why} <span class="nowrap">({decision.rule})</span>
              {others.includes(decision) && ', because of another finding about it'}
            </p>
          </li>
        ))}
      </ul>
      {own.length + others.length === 0 && <Empty>No decision was made about it.</Empty>}
      {explained !== undefined && explained.rules.length > 0 && (
        <details>
          <summary>What each rule said</summary>
          <ul class="rules">
            {explained.rules.map(({ rule, failed }) => (
              <li key={rule} class={rule === explained.rule ? 'won' : ''}>
                <code>{rule}</code> <span class="soft">{ruleText(failed, rule === explained.rule)}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </Panel>
  );
}

function ruleText(failed: string | null, hasWon: boolean): string {
  if (failed !== null) return `no: ${failed}`;
  return hasWon ? 'holds, and is the first that does' : 'holds, but an earlier one does too';
}

type PeersProps = { readonly reasons: readonly ReasonRow[]; readonly peers: FindingContext['peers'] };

function ComparedWith({ reasons, peers }: PeersProps) {
  const [tenant = '', actor = '', role = ''] = peers.group.split('|');
  const used = [...new Set(reasons.flatMap(({ level }) => (level === undefined ? [] : [levels[level] ?? level])))];
  return (
    <Panel title="Compared with">
      <dl class="facts stacked">
        <Fact name="Baselines used">{used.join(', ')}</Fact>
        {peers.group !== '' && (
          <Fact name="Its peers">
            {actor === '' ? peers.group : `${actor}s`}
            {role !== '' && role !== '-' && ` of ${role}`}
            {tenant !== '' && tenant !== '-' && ` in ${tenant}`}
            {peers.size !== null && <span class="soft"> · {plural(peers.size, 'identity', 'identities')}</span>}
          </Fact>
        )}
      </dl>
    </Panel>
  );
}

function Similar({ findings, identity }: { readonly findings: readonly FindingRow[]; readonly identity: string }) {
  return (
    <Panel title="Similar findings" note="of the same kind">
      <ul class="plainlist">
        {findings.map((finding) => (
          <li key={finding.finding_id}>
            <a href={linkTo('finding', finding.finding_id)}>
              <Severity of={finding.severity} />{' '}
              {finding.identity === identity ? 'the same identity' : identityName(finding.identity).id}
            </a>
            <p class="soft">
              {claimOf(finding).because} · <Time of={finding.last_seen} />
            </p>
          </li>
        ))}
      </ul>
      {findings.length === 0 && <Empty>This is the only one.</Empty>}
    </Panel>
  );
}

function Means({ finding }: { readonly finding: FindingRow }) {
  return (
    <Panel title="What it may mean">
      <p>
        <Kind of={finding.kind} />
      </p>
      <p class="soft">
        {[...finding.owasp.map((id) => `OWASP ${id}`), ...finding.attack.map((id) => `ATT&CK ${id}`)].join(' · ')}
      </p>
      <p class="soft">
        <code class="id">{finding.finding_id}</code>
      </p>
    </Panel>
  );
}
