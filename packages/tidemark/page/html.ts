import htm from 'htm';
import { h, type Attributes, type ComponentChildren, type ComponentType, type VNode } from 'preact';

/** What a template may hold. */
export type Content = ComponentChildren;

/** A template of elements; it has one root. */
export const html = htm.bind(h) as (strings: TemplateStringsArray, ...values: unknown[]) => VNode;

/** An element of a component, whose properties are checked, unlike those in a template. */
export function component<P extends object>(type: ComponentType<P>, props: P & Attributes): VNode {
  return h(type, props) as VNode;
}
