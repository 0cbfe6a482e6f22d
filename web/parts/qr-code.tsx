import { generate } from 'lean-qr';
import { toSvgPath } from 'lean-qr/extras/svg';

/** What a camera needs around a code. */
const MARGIN = 4;

/** A text that cameras read. It is dark on light in every colour scheme, because not all of them read the opposite. */
export default function QrCode({ text, label }: { text: string; label: string }) {
  const code = generate(text);
  const size = code.size + 2 * MARGIN;
  return (
    <svg
      className="qr-code"
      role="img"
      aria-label={label}
      viewBox={`${-MARGIN} ${-MARGIN} ${size} ${size}`}
      shapeRendering="crispEdges"
    >
      <path d={toSvgPath(code)} />
    </svg>
  );
}
