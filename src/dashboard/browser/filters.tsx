import { useKeys } from './keys.ts';
import { useEffect, useRef, useState } from './preact.ts';
import { go, linkTo, type Place } from './router.ts';

/** Filters of a list. They live in the address, so that a link shows the same list to somebody else. */
export type Choice = {
  readonly name: string;
  readonly label: string;
  readonly options: readonly { readonly value: string; readonly text: string }[];
  /** What holds when the address says nothing. */
  readonly initial?: string;
};

type Search = { readonly name: string; readonly label: string };

export type FiltersProps = { readonly place: Place; readonly choices: readonly Choice[]; readonly search?: Search };

const typingMs = 250;

/** The value of each filter: from the address, else its initial one. */
export function filtersOf(place: Place, choices: readonly Choice[], search?: Search): Readonly<Record<string, string>> {
  const chosen = choices.map(({ name, initial = '' }) => [name, place.query.get(name) ?? initial] as const);
  return Object.fromEntries(search ? [...chosen, [search.name, place.query.get(search.name) ?? ''] as const] : chosen);
}

export function Filters({ place, choices, search }: FiltersProps) {
  const values = filtersOf(place, choices, search);
  const set = (name: string, value: string): void => {
    const initials = Object.fromEntries(choices.map((choice) => [choice.name, choice.initial ?? '']));
    const next = Object.entries({ ...values, [name]: value });
    // `any` is written out where nothing would mean the initial value.
    const said = next.filter(([key, chosen]) => chosen !== (initials[key] ?? ''));
    go(linkTo(place.name, place.id) + queryOf(said), true);
  };
  return (
    <search class="filters">
      {search !== undefined && (
        <SearchField
          key={place.name}
          search={search}
          value={values[search.name] ?? ''}
          set={(value) => set(search.name, value)}
        />
      )}
      {choices.map(({ name, label, options }) => (
        <label key={name}>
          <span class="soft">{label}</span>
          <select value={values[name] ?? ''} onChange={(event) => set(name, event.currentTarget.value)}>
            <option value="">any</option>
            {options.map(({ value, text }) => (
              <option key={value} value={value}>
                {text}
              </option>
            ))}
          </select>
        </label>
      ))}
    </search>
  );
}

function queryOf(said: readonly (readonly [string, string])[]): string {
  const text = new URLSearchParams(said.map(([name, value]) => [name, value])).toString();
  return text === '' ? '' : `?${text}`;
}

/** `/` goes there; what is typed is asked for when the typing pauses. */
function SearchField({
  search,
  value,
  set,
}: {
  readonly search: Search;
  readonly value: string;
  readonly set: (value: string) => void;
}) {
  const field = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState(value);
  const latest = useRef(set);
  latest.current = set;
  useKeys({ '/': () => field.current?.select() });
  useEffect(() => {
    if (typed === value) return;
    const timer = setTimeout(() => latest.current(typed), typingMs);
    return () => clearTimeout(timer);
  }, [typed, value]);
  return (
    <label class="search">
      <span class="soft">{search.label}</span>
      <input
        ref={field}
        type="search"
        value={typed}
        placeholder="press / to search"
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
    </label>
  );
}
