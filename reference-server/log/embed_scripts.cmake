# cmake -DOUTPUT=scripts.cpp -DSCRIPTS=a.lua;b.lua -P embed_scripts.cmake
# Every script becomes a string constant of its name.
set(text "#include \"reference-server/log/scripts.h\"\n\nnamespace ordeal::chat::scripts {\n\n")
foreach(path IN LISTS SCRIPTS)
  get_filename_component(name ${path} NAME_WE)
  file(READ ${path} body)
  string(APPEND text "const std::string_view ${name} = R\"lua(${body})lua\";\n\n")
endforeach()
string(APPEND text "}  // namespace ordeal::chat::scripts\n")
file(WRITE ${OUTPUT} "${text}")
