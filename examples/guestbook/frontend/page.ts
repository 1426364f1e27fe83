const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (c) => escapes[c] ?? c)
}

/** The guestbook's page. `pod` is who served it: reload, and another pod answers. */
export function page(entries: readonly string[], pod: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Guestbook on Berth</title>
<style>
body { font: 17px/1.5 system-ui, sans-serif; max-width: 34rem; margin: 3rem auto; padding: 0 1rem; color: #16324a }
h1 { font-weight: 600 } form { display: flex; gap: .5rem }
input { flex: 1; font: inherit; padding: .4rem .6rem; border: 1px solid #9db4c6; border-radius: 6px }
button { font: inherit; padding: .4rem 1rem; border: 0; border-radius: 6px; background: #17608f; color: white }
li { margin: .3rem 0 } footer { color: #6b8294; font-size: .8rem; margin-top: 2rem }
</style>
</head>
<body>
<h1>Guestbook</h1>
<form method="post" action="/entries"><input name="entry" maxlength="200" required autofocus placeholder="Leave a line"><button>Sign</button></form>
<ul>${entries.map((entry) => `<li>${escape(entry)}</li>`).join('')}</ul>
<footer>Written to the redis leader, read from a follower, served by pod ${escape(pod)}.</footer>
</body>
</html>
`
}
