// node build.mjs MODULES OUTPUT: bundles the page and writes it as C++ (page_files.h says what that
// holds). MODULES is the folder with node_modules, OUTPUT the .cpp file.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const sources = fileURLToPath(new URL(".", import.meta.url));
const [modules, output] = process.argv.slice(2);
const esbuild = createRequire(join(modules, "package.json"))("esbuild");

// The licence asks that its notice goes wherever a copy goes.
const notice =
  "/*! Contains @microsoft/signalr, (c) .NET Foundation and contributors, MIT licence */";

function bundle(entry, options) {
  const result = esbuild.buildSync({
    entryPoints: [join(sources, entry)],
    bundle: true,
    minify: true,
    write: false,
    platform: "browser",
    target: "es2022",
    charset: "utf8",
    nodePaths: [join(modules, "node_modules")],
    logLevel: "warning",
    ...options,
  });
  if (result.warnings.length > 0) process.exit(1);
  return Buffer.from(result.outputFiles[0].contents);
}

const files = [
  { path: "/", type: "text/html; charset=utf-8", body: readFileSync(join(sources, "index.html")) },
  {
    path: "/assets/icon.svg",
    type: "image/svg+xml",
    body: readFileSync(join(sources, "icon.svg")),
  },
  {
    path: "/assets/page.css",
    type: "text/css; charset=utf-8",
    body: bundle("page.css", { target: [] }),
  },
  {
    path: "/assets/page.js",
    type: "text/javascript; charset=utf-8",
    body: bundle("src/main.js", { format: "esm", banner: { js: notice } }),
  },
];

// As short string literals, one below the other. Octal escapes end after three digits, so that none
// runs into what follows.
function literal(bytes) {
  const lines = [];
  for (let start = 0; start < bytes.length; start += 100) {
    const escaped = Array.from(bytes.subarray(start, start + 100), (byte) => {
      const isPlain = byte >= 0x20 && byte < 0x7f && !'"\\?'.includes(String.fromCharCode(byte));
      return isPlain ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, "0")}`;
    });
    lines.push(`     "${escaped.join("")}"`);
  }
  return lines.join("\n");
}

const rows = files.map(({ path, type, body }) => {
  const tag = createHash("sha256").update(body).digest("hex").slice(0, 32);
  return `    {"${path}", "${type}", "\\"${tag}\\"",\n${literal(body)}}`;
});

writeFileSync(
  output,
  `#include "reference-server/web/page_files.h"

namespace ordeal::chat {
namespace {

const std::array<page_file, ${files.length}> files{{
${rows.join(",\n")},
}};

}  // namespace

std::span<const page_file> page_files() {
  return files;
}

}  // namespace ordeal::chat
`,
);
