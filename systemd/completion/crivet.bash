# bash completion for crivet
_crivet() {
  local cur prev words cword
  _init_completion || return
  local commands="serve check verify status reload pin warm forget takeover release import version"
  local command="" word
  for word in "${words[@]:1:cword-1}"; do
    case " $commands " in *" $word "*) command=$word; break ;; esac
  done
  case $prev in
    --config) _filedir toml; return ;;
    --in-place) _filedir; return ;;
    --namespace | --trust | --pid) return ;;
  esac
  if [[ -z $command ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$commands --config --help" -- "$cur")
    return
  fi
  local options="--config --help"
  case $command in
    serve) options+=" --in-place" ;;
    verify) options+=" --offline --json --namespace" ;;
    warm) options+=" --json --namespace" ;;
    pin) options+=" --namespace --trust" ;;
    status) options+=" --json --would-refuse" ;;
    reload) options+=" --pid" ;;
    forget) options+=" --namespace --yes" ;;
    import) [[ $cur == -* ]] || { _filedir -d; return; } ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
} &&
  complete -F _crivet crivet
