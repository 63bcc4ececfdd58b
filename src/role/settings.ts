import type { Config } from '../config/config.ts';
import type { PolicyConfig, PolicyRule } from '../config/policy-file.ts';
import { Secret } from '../config/secret.ts';
import { actions, type FindingKind } from '../core/words.ts';

/** Stands for what is set and must not be seen. */
export const masked = '[set]';

/** Names of settings whose texts may hold what grants something, although no field of theirs is a secret by itself. */
const maskedNames: ReadonlySet<string> = new Set(['sha256', 'body', 'extra']);
/** Whose addresses may end in something that grants: who knows a webhook's address can post to it. */
const bareAddresses: ReadonlySet<string> = new Set(['webhooks', 'channels', 'push', 'pushOrigins']);

/** What this process runs with, to be looked at: every secret is `[set]`, addresses have neither user, query nor, where that may grant something, path. */
export function settingsOf(config: Config, policy: PolicyConfig): object {
  return {
    config: mask(config, false),
    policy: {
      ...policy,
      rules: policy.rules.map((rule) => ({ ...rule, mode: modeOf(rule, policy), inherits: rule.mode === 'inherit' })),
    },
  };
}

function modeOf(rule: PolicyRule, policy: PolicyConfig): PolicyConfig['mode'] {
  return rule.mode === 'inherit' ? policy.mode : rule.mode;
}

/** Whether a finding of this kind can lead to more than a word to people. */
export function modeOfKind(kind: FindingKind, { rules, ...policy }: PolicyConfig): PolicyConfig['mode'] {
  const acts = rules.some(
    (rule) =>
      (rule.when.kinds === undefined || rule.when.kinds.includes(kind)) &&
      modeOf(rule, { ...policy, rules }) === 'enforce' &&
      [rule.action, ...rule.escalate].some((action) => actions.indexOf(action) > actions.indexOf('notify')),
  );
  return acts ? 'enforce' : 'shadow';
}

function mask(value: unknown, isBare: boolean): unknown {
  if (value instanceof Secret) return masked;
  if (typeof value === 'string') return plainAddress(value, isBare);
  if (Array.isArray(value)) return value.map((each) => mask(each, isBare));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [
      name,
      maskedNames.has(name) && part !== undefined ? masked : mask(part, isBare || bareAddresses.has(name)),
    ]),
  );
}

function plainAddress(text: string, isBare: boolean): string {
  if (!/^https?:\/\//i.test(text)) return text;
  if (!URL.canParse(text)) return masked;
  const { origin, pathname } = new URL(text);
  return isBare && pathname !== '/' ? `${origin}/…` : `${origin}${pathname === '/' ? '' : pathname}`;
}
