import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { FastifyInstance, FastifyReply } from 'fastify';
import Type from 'typebox';
import { etagOf, isNamed } from './etags.ts';
import { describe } from './openapi/describe.ts';

/** Built beside the program: see build.mjs. */
const FOLDER = new URL('../page/', import.meta.url);
const ASSETS = {
  'main.js': 'text/javascript; charset=utf-8',
  'main.css': 'text/css; charset=utf-8',
} as const;

/** Only what this daemon itself serves, and nothing that stands in the text of the page. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Script and style of the page. What it shows it asks of the API as any other program does. */
export function addPageAssets(app: FastifyInstance): void {
  for (const [name, type] of Object.entries(ASSETS)) {
    const operation = describe({
      id: `getAsset-${name}`,
      tag: 'host',
      summary: 'A part of the page',
      answers: {
        200: {
          description: 'The part',
          content: { [type.split(';')[0] as string]: Type.String() },
          headers: { etag: 'of its content' },
        },
        304: { description: 'It is the one that If-None-Match names' },
      },
    });
    app.get(`/assets/${name}`, operation, async (request, reply) => {
      const body = await readFile(new URL(name, FOLDER));
      const etag = etagOf(body);
      // Looked at anew every time, so that a page never meets a script of another version.
      reply.headers({ etag, 'cache-control': 'no-cache', 'x-content-type-options': 'nosniff' });
      return isNamed(etag, request.headers['if-none-match'])
        ? reply.code(304).send()
        : reply.type(type).send(body);
    });
  }
}

/** Whether whoever asks would rather have a page than data: browsers name HTML first, programs do not. */
export function wantsPage(accept: string | undefined): boolean {
  return /(?:^|,)\s*text\/html/.test(accept ?? '');
}

/** The page, for browsers. */
export function sendPage(reply: FastifyReply, version: string): FastifyReply {
  const host = hostname().replace(/[^A-Za-z0-9.-]/g, '');
  return sendHtml(
    reply,
    host,
    `<script type="module" src="/assets/main.js"></script>
</head>
<body>
<header><h1><a href="#/">${host}</a></h1><span class="muted">ptq-agent ${version}</span><a href="/metrics">metrics</a></header>
<main aria-live="off"><noscript>The page needs JavaScript. The same is told as JSON: GET /models, /bench, /telemetry.</noscript></main>`,
  );
}

/** A page of nothing but text. @param html of ours alone: what comes from outside must not be in it */
export function sendPageText(reply: FastifyReply, title: string, html: string): FastifyReply {
  return sendHtml(
    reply,
    title,
    `</head>
<body>
<header><h1><a href="/">ptq-agent</a></h1></header>
<main>
${html}
</main>`,
  );
}

function sendHtml(reply: FastifyReply, title: string, rest: string): FastifyReply {
  return reply
    .headers({
      'content-security-policy': POLICY,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-cache',
    })
    .type('text/html; charset=utf-8')
    .send(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · ptq-agent</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/assets/main.css">
${rest}
</body>
</html>
`);
}
