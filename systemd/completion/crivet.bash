# bash completion for crivet
_crivet() {
  local cur prev words cword
  _init_completion || return
  local commands="serve check verify status reload pin warm forget takeover release import version help"
  local command="" word
  for word in "${words[@]:1:cword-1}"; do
    case " $commands " in *" $word "*) command=$word; break ;; esac
  done
  case $prev in
    --config) _filedir toml; return ;;
    --root) _filedir -d; return ;;
    --kind) COMPREPLY=(notary); return ;;
    --in-place | --ca-file) _filedir; return ;;
    --namespace | --trust | --url | --pid) return ;;
  esac
  if [[ -z $command ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$commands --config --help --version" -- "$cur")
    return
  fi
  local options="--config --help"
  case $command in
    serve) options+=" --in-place" ;;
    check) options+=" --root --json --strict" ;;
    verify) options+=" --offline --json --namespace" ;;
    warm) options+=" --json --namespace" ;;
    pin) options+=" --namespace --trust --url --ca-file --kind" ;;
    status) options+=" --json --would-refuse" ;;
    reload) options+=" --pid" ;;
    forget) options+=" --namespace --trust --evidence --yes" ;;
    import) options+=" --image"; [[ $cur == -* ]] || { _filedir -d; return; } ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
} &&
  complete -F _crivet crivet
