import { options, type VNode } from 'preact';
import { visible } from '../../core/visible.ts';

/**
 * The only file that knows preact. Fields of events are written by attackers, so every text and every attribute that is read as text goes through
 * `visible` here, whichever page shows it: controls, bidirectional and zero-width characters are spelled out, and nothing runs on without end.
 * Never true: markup made of a text (the policy of the page forbids it, and no file asks for it).
 */
export { type ComponentChildren, createContext, Fragment, render } from 'preact';
export { useContext, useEffect, useErrorBoundary, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';

/** Characters of one text; what is longer is cut with an ellipsis. */
const textMax = 4000;
const readAttributes = ['title', 'aria-label', 'placeholder', 'alt'];

const inherited = options.vnode;
options.vnode = (node) => {
  // A text is a node without a type whose props are the text; preact's types do not tell.
  const { type, props } = node as unknown as { readonly type: unknown; readonly props: unknown };
  if (type === null && typeof props === 'string') {
    (node as unknown as { props: string }).props = visible(props, textMax);
  } else if (typeof type === 'string') {
    showAttributes(node as VNode<Record<string, unknown>>);
  }
  inherited?.(node);
};

function showAttributes({ props }: VNode<Record<string, unknown>>): void {
  for (const name of readAttributes) {
    const value = props[name];
    if (typeof value === 'string') props[name] = visible(value, textMax);
  }
}
