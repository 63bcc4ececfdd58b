import { useAnswer } from '../api.ts';
import { useKeys } from '../keys.ts';
import { useLive } from '../live.ts';
import { DecisionBadge, Empty, Fact, Identity, Kind, Panel, Risk, Severity, Time, Waiting } from '../pieces.tsx';
import { go, linkTo, type Place } from '../router.ts';
import type { DecisionRow, EventRow, Explanation, FindingRow, IdentityRow, ReasonRow } from '../rows.ts';
import { ObservedPlot, ShareBar } from '../small-plots.tsx';
import { Timeline } from '../timeline.tsx';
import { claimOf, count, kindName, percent, plural } from '../words.ts';

type Known = IdentityRow & { readonly recent: readonly EventRow[] };

/** One finding: what happened, why it is odd, who it is about, what was done. */
export function FindingPage({ place }: { readonly place: Place }) {
  const path = `/v1/findings/${encodeURIComponent(place.id)}`;
  const finding = useAnswer<FindingRow>(path);
  useLive(['finding', 'decision'], finding.reload);
  useKeys({ Escape: () => go(linkTo('findings')) });
  if (finding.data === undefined) return <Waiting error={finding.error} what="finding" />;
  return <Found finding={finding.data} />;
}

function Found({ finding }: { readonly finding: FindingRow }) {
  const of = `/v1/identities/${encodeURIComponent(finding.identity)}`;
  const identity = useAnswer<Known>(of);
  const explained = useAnswer<Explanation>(`${of}/explain-decision`);
  const query = `identity=${encodeURIComponent(finding.identity)}&limit=50`;
  const decisions = useAnswer<{ readonly decisions: readonly DecisionRow[] }>(`/v1/decisions?${query}`);
  const others = useAnswer<{ readonly findings: readonly FindingRow[] }>(`/v1/findings?${query}`);
  const similar = others.data?.findings.filter(({ finding_id }) => finding_id !== finding.finding_id);
  const { claim, because } = claimOf(finding);
  return (
    <article class="page finding">
      <header class="head">
        <p class="path">
          <a href={linkTo('findings')}>Findings</a> <span class="soft">/ {kindName(finding.kind)}</span>
        </p>
        <h1>{claim}</h1>
        <p class="because">{because}</p>
        <dl class="facts">
          <Fact name="Severity">
            <Severity of={finding.severity} />
          </Fact>
          <Fact name="Who">
            <Identity of={finding.identity} />
          </Fact>
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
          <Fact name="State">{finding.state}</Fact>
        </dl>
      </header>
      <div class="columns">
        <div class="column">
          <Why reasons={finding.reasons} />
          <Timeline finding={finding} events={identity.data?.recent} error={identity.error} />
        </div>
        <div class="column aside">
          <WhatWasDone explained={explained.data} decisions={decisions.data?.decisions ?? []} />
          <Peers reasons={finding.reasons} known={identity.data} />
          <Similar findings={similar ?? []} />
          <Means finding={finding} />
        </div>
      </div>
    </article>
  );
}

function Why({ reasons }: { readonly reasons: readonly ReasonRow[] }) {
  return (
    <Panel title="Why" note="observed against expected; the band holds 90 % of what is usual">
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

function WhatWasDone({
  explained,
  decisions,
}: {
  readonly explained: Explanation | undefined;
  readonly decisions: readonly DecisionRow[];
}) {
  return (
    <Panel title="What was done">
      {explained !== undefined && <p class="outcome">{explained.outcome}</p>}
      <ul class="plainlist">
        {decisions.map((decision) => (
          <li key={decision.decision_id}>
            <p>
              <DecisionBadge action={decision.action} mode={decision.mode} /> <Time of={decision.made_at} />
            </p>
            <p class="soft">
              {decision.why} <span class="nowrap">({decision.rule})</span>
            </p>
          </li>
        ))}
      </ul>
      {decisions.length === 0 && <Empty>No decision was made about it.</Empty>}
      {explained !== undefined && explained.rules.length > 0 && (
        <details>
          <summary>What each rule said</summary>
          <ul class="rules">
            {explained.rules.map(({ rule, failed }) => (
              <li key={rule} class={rule === explained.rule ? 'won' : ''}>
                <code>{rule}</code>
                <span class="soft">
                  {failed === null ? (rule === explained.rule ? 'won' : 'holds, an earlier one won') : `no: ${failed}`}
                </span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </Panel>
  );
}

function Peers({ reasons, known }: { readonly reasons: readonly ReasonRow[]; readonly known: Known | undefined }) {
  const group = reasons.find(({ peer_group = '' }) => peer_group !== '')?.peer_group;
  const [tenant = '', actor = '', role = ''] = (group ?? '').split('|');
  return (
    <Panel title="Who it is">
      <dl class="facts stacked">
        {known !== undefined && (
          <>
            <Fact name="Known since">
              <Time of={known.first_seen} isExact />
            </Fact>
            <Fact name="Events">
              {count(known.events)} <span class="soft">({count(known.errors)} refused or failed)</span>
            </Fact>
          </>
        )}
        {group !== undefined && (
          <Fact name="Compared with">
            {actor === '' ? group : `${actor}s`}
            {role !== '' && ` that are ${role}`}
            {tenant !== '' && <span class="soft"> in {tenant}</span>}
          </Fact>
        )}
      </dl>
    </Panel>
  );
}

function Similar({ findings }: { readonly findings: readonly FindingRow[] }) {
  return (
    <Panel title="Other findings about it">
      <ul class="plainlist">
        {findings.slice(0, 10).map((finding) => (
          <li key={finding.finding_id}>
            <a href={linkTo('finding', finding.finding_id)}>{claimOf(finding).claim}</a>
            <p class="soft">
              <Severity of={finding.severity} /> <Time of={finding.last_seen} />
            </p>
          </li>
        ))}
      </ul>
      {findings.length === 0 && <Empty>None.</Empty>}
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
