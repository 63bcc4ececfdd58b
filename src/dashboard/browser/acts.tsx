import { actions } from '../../core/words.ts';
import { type ApiError, ask, lookSoon } from './api.ts';
import { type ComponentChildren, useRef, useState } from './preact.ts';
import { useIsAdmin } from './session.ts';

/** What a reader can do. Everything that reaches an enforcement point is said once more in words before it is sent. */
type DialogProps = {
  readonly title: string;
  /** On the button that opens it. */
  readonly open: ComponentChildren;
  readonly confirm: string;
  readonly isPrimary?: boolean;
  readonly children: (values: Readonly<Record<string, string>>) => ComponentChildren;
  readonly send: (values: Readonly<Record<string, string>>) => Promise<unknown>;
  readonly onDone: () => void;
};

/** A form in a dialog: the children see what was entered so far, so that they can say what will happen. */
export function FormDialog({ title, open, confirm, isPrimary = false, children, send, onDone }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [values, setValues] = useState<Readonly<Record<string, string>>>({});
  const [trouble, setTrouble] = useState('');
  const [isSending, setSending] = useState(false);
  const read = (form: HTMLFormElement): Readonly<Record<string, string>> =>
    Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]));
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    setSending(true);
    send(read(event.currentTarget as HTMLFormElement))
      .then(
        () => {
          setTrouble('');
          dialog.current?.close();
          lookSoon(onDone);
        },
        (error: ApiError) => setTrouble(error.message),
      )
      .finally(() => setSending(false));
  };
  const show = (): void => {
    setTrouble('');
    dialog.current?.showModal();
    const form = dialog.current?.querySelector('form');
    if (form) setValues(read(form));
  };
  return (
    <>
      <button type="button" class={isPrimary ? 'primary' : ''} onClick={show}>
        {open}
      </button>
      <dialog ref={dialog} aria-label={title}>
        <form class="stack" onSubmit={submit} onInput={(event) => setValues(read(event.currentTarget))}>
          <h2>{title}</h2>
          {children(values)}
          {trouble !== '' && (
            <p class="error" role="alert">
              {trouble}
            </p>
          )}
          <div class="buttons">
            <button type="button" onClick={() => dialog.current?.close()}>
              Cancel
            </button>
            <button type="submit" class="primary" disabled={isSending}>
              {confirm}
            </button>
          </div>
        </form>
      </dialog>
    </>
  );
}

type FieldProps = {
  readonly name: string;
  readonly label: string;
  readonly value?: string;
  readonly isRequired?: boolean;
};

export function TextField({ name, label, value = '', isRequired = false }: FieldProps) {
  return (
    <label>
      <span>{label}</span>
      <input name={name} defaultValue={value} required={isRequired} maxLength={500} autocomplete="off" />
    </label>
  );
}

type SelectProps = {
  readonly name: string;
  readonly label: string;
  readonly options: readonly (readonly [value: string, text: string])[];
};

export function SelectField({ name, label, options }: SelectProps) {
  return (
    <label>
      <span>{label}</span>
      <select name={name}>
        {options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

const spans = [
  ['15m', '15 minutes'],
  ['1h', '1 hour'],
  ['8h', '8 hours'],
  ['1d', '1 day'],
  ['7d', '7 days'],
] as const;

const manualActions = actions.filter((action) => action !== 'restore').map((action) => [action, action] as const);

/** A decision by hand. Only administrators may, so others do not see it. */
export function Decide({ identity = '', onDone }: { readonly identity?: string; readonly onDone: () => void }) {
  if (!useIsAdmin()) return null;
  return (
    <FormDialog
      title="Decide by hand"
      open="Decide…"
      confirm="Yes, decide"
      send={(values) => ask('/v1/decisions', { method: 'POST', body: values })}
      onDone={onDone}
    >
      {({ identity: about = '', action = '', ttl = '', mode = '' }) => (
        <>
          <TextField name="identity" label="Identity (kind:tenant:id)" value={identity} isRequired />
          <SelectField name="action" label="Action" options={manualActions} />
          <SelectField name="ttl" label="For" options={spans} />
          <SelectField
            name="mode"
            label="Mode"
            options={[
              ['enforce', 'enforce: sent to the enforcement points'],
              ['shadow', 'shadow: recorded only'],
            ]}
          />
          <TextField name="reason" label="Reason, for the audit" isRequired />
          <p class="outcome" role="status">
            {mode === 'shadow' ? 'Records' : 'Enforces'} {action} for {spans.find(([value]) => value === ttl)?.[1]} on{' '}
            <code class="id">{about === '' ? '…' : about}</code>.
          </p>
        </>
      )}
    </FormDialog>
  );
}

/** Ends a decision before its time. */
export function Restore({ decisionId, onDone }: { readonly decisionId: string; readonly onDone: () => void }) {
  if (!useIsAdmin()) return null;
  const path = `/v1/decisions/${encodeURIComponent(decisionId)}/restore`;
  return (
    <FormDialog
      title="End this decision"
      open="End…"
      confirm="Yes, end it"
      send={(values) => ask(path, { method: 'POST', body: values })}
      onDone={onDone}
    >
      {() => (
        <>
          <p>Enforcement points are told that it no longer holds.</p>
          <TextField name="reason" label="Reason, for the audit" isRequired />
        </>
      )}
    </FormDialog>
  );
}
