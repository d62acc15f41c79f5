/** A lint rule against Redis commands that sweep a whole server or data set. */
const SWEEPING_METHODS = new Set(['flushall', 'flushdb', 'keys']);
const SWEEPING_TEXT = /\b(?:FLUSHALL|FLUSHDB)\b|call\(\s*["']KEYS["']/i;
const REDIS_RECEIVER = /redis|client|connection/i;

const message =
  'KEYS, FLUSHDB and FLUSHALL touch what is not ours and stall the server: name the keys instead.';

function receiverName(node) {
  if (node.type === 'Identifier' || node.type === 'PrivateIdentifier') return node.name;
  if (node.type === 'MemberExpression') return receiverName(node.property);
  return '';
}

const noSweep = {
  create(context) {
    const checkText = (node, text) => {
      if (SWEEPING_TEXT.test(text)) context.report({ node, message });
    };
    return {
      CallExpression(node) {
        const { callee } = node;
        if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier') return;
        const method = callee.property.name.toLowerCase();
        if (!SWEEPING_METHODS.has(method)) return;
        // `keys` is a method of Map and Object too.
        if (method === 'keys' && !REDIS_RECEIVER.test(receiverName(callee.object))) return;
        context.report({ node, message });
      },
      Literal(node) {
        if (typeof node.value === 'string') checkText(node, node.value);
      },
      TemplateElement(node) {
        checkText(node, node.value.raw);
      },
    };
  },
};

export default { meta: { name: 'redis' }, rules: { 'no-sweep': noSweep } };
